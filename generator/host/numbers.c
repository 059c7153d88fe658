/*
 * numbers.c - text of numbers and numbers of text, exactly: lists of a million of them are printed for tests.
 */
#include "host/host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* number(text): what the whole text spells, in any form C knows, or nil. */
static int host_number(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    char *end;
    double number = strtod(text, &end);
    if (length == 0 || end != text + length)
        lua_pushnil(L);
    else
        lua_pushnumber(L, number);
    return 1;
}

enum { LONGEST = 32 };

/* Appends the number at an index as JSON has it; what JSON lacks, NaN and infinities, as null. */
static void add_number(luaL_Buffer *b, lua_State *L, int index)
{
    char *at = luaL_prepbuffsize(b, LONGEST);
    const double x = lua_tonumber(L, index);
    int n;
    if (lua_isinteger(L, index))
        n = snprintf(at, LONGEST, LUA_INTEGER_FMT, (LUAI_UACINT)lua_tointeger(L, index));
    else
        n = isfinite(x) ? snprintf(at, LONGEST, "%.17g", x) : snprintf(at, LONGEST, "null");
    luaL_addsize(b, (size_t)n);
}

/* json_numbers(x): a number, or a list of one and more, as JSON; nil if x is something else. */
static int host_json_numbers(lua_State *L)
{
    const lua_Integer n = lua_istable(L, 1) ? (lua_Integer)lua_rawlen(L, 1) : 0;
    luaL_Buffer b;
    lua_settop(L, 1);
    lua_pushnil(L); /* the number of a turn: a buffer wants what lies below it left alone */
    luaL_buffinit(L, &b);
    if (lua_type(L, 1) == LUA_TNUMBER) {
        add_number(&b, L, 1);
    } else if (n == 0) {
        lua_pushnil(L);
        return 1;
    }
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, 1, i) != LUA_TNUMBER) {
            lua_pushnil(L);
            return 1;
        }
        lua_replace(L, 2);
        luaL_addchar(&b, i == 1 ? '[' : ',');
        add_number(&b, L, 2);
    }
    if (n > 0) luaL_addchar(&b, ']');
    luaL_pushresult(&b);
    return 1;
}

const luaL_Reg numbers_functions[] = {{"number", host_number}, {"json_numbers", host_json_numbers}, {NULL, NULL}};
