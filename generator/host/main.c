/*
 * main.c - lrnde-gen: the command line to a table, the table to generator/lrnde.lua.
 */
#include "host/host.h"

static int generate(lua_State *L)
{
    if (!options_parse(L, (int)lua_tointeger(L, 1), lua_touserdata(L, 2))) {
        lua_pushinteger(L, 0);
        return 1;
    }
    lua_getglobal(L, "require");
    lua_pushliteral(L, "lrnde");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "main");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 1);
    return 1;
}

int main(int argc, char **argv)
{
    return host_run("lrnde-gen", generate, NULL, argc, argv);
}
