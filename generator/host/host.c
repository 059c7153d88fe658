/*
 * host.c - the Lua module "host", and one state from its birth to an exit status.
 */
#include "host/host.h"

#include <lualib.h>
#include <stdio.h>

static int luaopen_host(lua_State *L)
{
    lua_newtable(L);
    luaL_setfuncs(L, diagnostics_functions, 0);
    luaL_setfuncs(L, files_functions, 0);
    luaL_setfuncs(L, numbers_functions, 0);
    luaL_setfuncs(L, sandbox_functions, 0);
    luaL_setfuncs(L, safe_env_functions, 0);
    files_push_root(L);
    lua_setfield(L, -2, "root");
    lua_pushliteral(L, HOST_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}

static void preload(lua_State *L, const char *name, lua_CFunction open)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* Our Lua comes from the root and from nowhere else, whatever LUA_PATH says. */
static void set_paths(lua_State *L, const char *more_path)
{
    lua_getglobal(L, "package");
    files_push_root(L);
    const char *root = lua_tostring(L, -1);
    lua_pushfstring(L, "%s/generator/?.lua", root);
    if (more_path) {
        lua_pushfstring(L, ";%s/%s", root, more_path);
        lua_concat(L, 2);
    }
    lua_setfield(L, -3, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -3, "cpath");
    lua_pop(L, 2);
}

/* (body, more_path, argc, argv) -> what body returns */
static int boot(lua_State *L)
{
    luaL_openlibs(L);
    safe_env_install(L);
    preload(L, "host", luaopen_host);
    preload(L, "ir", luaopen_ir);
    set_paths(L, lua_touserdata(L, 2));
    lua_remove(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

int host_run(const char *tool, lua_CFunction body, const char *more_path, int argc, char **argv)
{
    lua_State *L = sandbox_new_state();
    if (!L) {
        fprintf(stderr, "%s: internal error: not enough memory\n", tool);
        return 2;
    }
    lua_pushcfunction(L, diagnostics_trace);
    lua_pushcfunction(L, boot);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, (void *)more_path);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    int exit_status = 0;
    if (lua_pcall(L, 4, 1, 1) == LUA_OK) {
        exit_status = (int)lua_tointeger(L, -1);
    } else if (diagnostics_is_user_error(L, -1)) {
        exit_status = 1;
        fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
    } else {
        exit_status = 2;
        fprintf(stderr, "%s: internal error: %s\n", tool, luaL_tolstring(L, -1, NULL));
    }
    sandbox_close_state(L);
    return exit_status;
}
