/*
 * lua_host.c - build/tests/lua SCRIPT: runs a Lua test with the modules that lrnde-gen has.
 *
 * The script sees the whole standard library, "host", "ir", what is in generator/ and what is in tests/.  arg is as under
 * plain lua: arg[0] the script, arg[-1] this program.
 */
#include "host/host.h"

#include <stdlib.h>

static int run_script(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    if (argc < 2) return diagnostics_fail(L, "usage: %s SCRIPT [argument...]", argv[0]);
    lua_createtable(L, argc, 0);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - 1);
    }
    lua_setglobal(L, "arg");
    if (luaL_loadfile(L, argv[1]) != LUA_OK) return lua_error(L);
    lua_call(L, 0, 0);
    lua_pushinteger(L, EXIT_SUCCESS);
    return 1;
}

int main(int argc, char **argv)
{
    return host_run("lua", run_script, "tests/?.lua", argc, argv);
}
