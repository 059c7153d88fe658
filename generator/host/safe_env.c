/*
 * safe_env.c - what the user's files may say.
 *
 * host.safe_env() is a fresh table of globals: math, table and string with the functions listed below, and a few more.
 * Nothing in it reaches a file, the clock, an address or a random seed, so a model means the same every time: pairs goes
 * by the order of the keys, and a table is spelled "table".  Functions that can work long on little (patterns) are left
 * out.  Reading any other name is an error that says so.
 */
#include "host/host.h"

#include <lualib.h>
#include <stdio.h>
#include <string.h>

static const char *const math_names[] = {"abs",  "acos", "asin", "atan", "ceil",       "cos",  "deg",        "exp",  "floor",
                                         "fmod", "huge", "log",  "max",  "maxinteger", "min",  "mininteger", "modf", "pi",
                                         "rad",  "sin",  "sqrt", "tan",  "tointeger",  "type", "ult",        NULL};
static const char *const table_names[] = {"concat", "insert", "pack", "remove", "sort", "unpack", NULL};
static const char *const string_names[] = {"byte", "char", "len", "lower", "rep", "reverse", "sub", "upper", NULL};
static const char *const global_names[] = {"assert", "error", "ipairs", "select", "tonumber", "type", NULL};

/* Pushes a module of the standard library, whatever the globals have become. */
static void push_library(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static void copy_names(lua_State *L, int to, const char *library, const char *const *names)
{
    push_library(L, library);
    for (; *names; names++) {
        lua_getfield(L, -1, *names);
        lua_setfield(L, to, *names);
    }
    lua_pop(L, 1);
}

/* upvalue 1: "'%s' is not available in ..." */
static int unknown_name(lua_State *L)
{
    return luaL_error(L, lua_tostring(L, lua_upvalueindex(1)), luaL_tolstring(L, 2, NULL));
}

static void seal(lua_State *L, int t, const char *prefix, const char *where)
{
    t = lua_absindex(L, t);
    lua_createtable(L, 0, 1);
    lua_pushfstring(L, "'%s%%s' is not available in %s", prefix, where);
    lua_pushcclosure(L, unknown_name, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, t);
}

void safe_env_seal(lua_State *L, int t, const char *where)
{
    seal(L, t, "", where);
}

/* tostring without addresses. */
static const char *push_text(lua_State *L, int index)
{
    if (lua_type(L, index) >= LUA_TTABLE) {
        if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) return lua_pushstring(L, luaL_typename(L, index));
        lua_pop(L, 1);
    }
    return luaL_tolstring(L, index, NULL);
}

static int safe_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    push_text(L, 1);
    return 1;
}

static int safe_print(lua_State *L)
{
    int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) fprintf(stderr, "%s%s", push_text(L, i), i < n ? "\t" : "");
    fputc('\n', stderr);
    return 0;
}

/* string.format, but an address cannot be printed. */
static int safe_format(lua_State *L)
{
    for (const char *p = strchr(luaL_checkstring(L, 1), '%'); p; p = strchr(p, '%')) {
        p += 1 + strspn(p + 1, "-+ #0123456789.");
        if (*p == 'p') return luaL_error(L, "string.format: '%%p' is not available here");
        if (*p) p++;
    }
    for (int i = lua_gettop(L); i > 1; i--) {
        if (lua_type(L, i) < LUA_TTABLE) continue;
        push_text(L, i);
        lua_replace(L, i);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* find(text, part, start): plain, whatever its fourth argument says. */
static int safe_find(lua_State *L)
{
    lua_settop(L, 3);
    lua_pushboolean(L, true);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 4, 2);
    return 2;
}

static int key_rank(lua_State *L, int index)
{
    int type = lua_type(L, index);
    if (type != LUA_TNUMBER && type != LUA_TSTRING)
        luaL_error(L, "pairs: a key is a %s; only numbers and strings have an order", lua_typename(L, type));
    return type == LUA_TSTRING;
}

static int key_before(lua_State *L)
{
    int a = key_rank(L, 1), b = key_rank(L, 2);
    lua_pushboolean(L, a != b ? a < b : lua_compare(L, 1, 2, LUA_OPLT));
    return 1;
}

/* upvalues: the keys, how many of them have been visited */
static int next_pair(lua_State *L)
{
    do {
        lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;
        lua_pushinteger(L, i);
        lua_replace(L, lua_upvalueindex(2));
        lua_settop(L, 1);
        if (lua_rawgeti(L, lua_upvalueindex(1), i) == LUA_TNIL) return 1;
        lua_pushvalue(L, 2);
    } while (lua_gettable(L, 1) == LUA_TNIL); /* removed since */
    return 2;
}

/* pairs(t): numbers in their order, then strings in theirs.  __pairs is respected. */
static int ordered_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    push_library(L, "table");
    lua_getfield(L, 2, "sort");
    lua_newtable(L);
    lua_Integer n = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, 4, ++n);
    }
    lua_pushvalue(L, 4);
    lua_insert(L, 3);
    lua_pushcfunction(L, key_before);
    lua_call(L, 2, 0);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_pair, 2);
    lua_pushvalue(L, 1);
    return 2;
}

static void wrap(lua_State *L, int to, const char *name, lua_CFunction function)
{
    push_library(L, "string");
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, to, name);
    lua_pop(L, 1);
}

static void push_strings(lua_State *L)
{
    lua_newtable(L);
    int t = lua_gettop(L);
    copy_names(L, t, "string", string_names);
    wrap(L, t, "find", safe_find);
    wrap(L, t, "format", safe_format);
}

static int host_safe_env(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"pairs", ordered_pairs}, {"tostring", safe_tostring}, {"print", safe_print}, {NULL, NULL}};
    static const char *const where = "a model file";
    luaL_newlib(L, functions);
    int env = lua_gettop(L);
    copy_names(L, env, LUA_GNAME, global_names);
    lua_newtable(L);
    copy_names(L, env + 1, LUA_MATHLIBNAME, math_names);
    seal(L, env + 1, "math.", where);
    lua_setfield(L, env, "math");
    lua_newtable(L);
    copy_names(L, env + 1, LUA_TABLIBNAME, table_names);
    seal(L, env + 1, "table.", where);
    lua_setfield(L, env, "table");
    push_strings(L);
    seal(L, env + 1, "string.", where);
    lua_setfield(L, env, "string");
    safe_env_seal(L, env, where);
    return 1;
}

/* ("x"):rep(3): which library a string's methods come from depends on who asks.  upvalues: the safe one, the whole one */
static int string_method(lua_State *L)
{
    lua_Debug caller;
    bool sandboxed = lua_getstack(L, 1, &caller) && lua_getinfo(L, "S", &caller) && *caller.what != 'C' && *caller.source == '=';
    lua_gettable(L, lua_upvalueindex(sandboxed ? 1 : 2));
    return 1;
}

void safe_env_install(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    push_strings(L);
    seal(L, -1, "string.", "a model file");
    push_library(L, LUA_STRLIBNAME);
    lua_pushcclosure(L, string_method, 2);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
}

const luaL_Reg safe_env_functions[] = {{"safe_env", host_safe_env}, {"pairs", ordered_pairs}, {NULL, NULL}};
