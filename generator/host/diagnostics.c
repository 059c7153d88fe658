/*
 * diagnostics.c - errors: whose they are, where they happened, and what was probably meant.
 *
 * A user error is a table { message = ... } with a metatable of its own, so that no string and nothing a sandboxed file
 * raises can be mistaken for one.  Its text says where: "path:line: error: what".
 *
 * How an error inside a sandboxed call becomes one (diagnostics_locate):
 *   raised by host.fail                         as it is
 *   a string that begins with the user's line   that line: Lua's own errors, error(text) of his, error(text, 2) of ours
 *   a string without a position, error(text, 0) the user's innermost line: how our own code speaks to the user
 *   a string that begins with a line of ours    stays what it is, with a traceback: a bug
 */
#include "host/host.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const user_error = "lrnde.user_error";

static int user_error_message(lua_State *L)
{
    lua_getfield(L, 1, "message");
    return 1;
}

/* Turns the text on top of the stack into a user error. */
static void make_user_error(lua_State *L)
{
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "message");
    if (luaL_newmetatable(L, user_error)) {
        lua_pushcfunction(L, user_error_message);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
}

bool diagnostics_is_user_error(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (!lua_getmetatable(L, index)) return false;
    luaL_getmetatable(L, user_error);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

int diagnostics_fail(lua_State *L, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    lua_pushvfstring(L, format, list);
    va_end(list);
    make_user_error(L);
    return lua_error(L);
}

bool diagnostics_user_frame(lua_State *L, lua_Debug *frame)
{
    for (int level = 0; lua_getstack(L, level, frame); level++) {
        lua_getinfo(L, "Sl", frame);
        if (*frame->what != 'C' && *frame->source == '=') return true;
    }
    return sandbox_entry(L, frame); /* his frame is gone if he returned what failed: a tail call */
}

/* Replaces the text on top of the stack by the user error that says where the user's file stood. */
static void make_user_error_here(lua_State *L)
{
    lua_Debug frame;
    if (diagnostics_user_frame(L, &frame))
        lua_pushfstring(L, "%s:%d: error: %s", frame.source + 1, frame.currentline, lua_tostring(L, -1));
    make_user_error(L);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

int diagnostics_locate(lua_State *L)
{
    if (diagnostics_is_user_error(L, 1)) return 1;
    if (!lua_isstring(L, 1)) {
        lua_pushfstring(L, "the error is a %s, not a text", luaL_typename(L, 1));
        make_user_error_here(L);
        return 1;
    }
    const char *text = lua_tostring(L, 1);
    lua_Debug frame;
    for (int level = 1; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        const char *position = lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
        if (starts_with(text, position)) {
            if (*frame.source != '=') {
                luaL_traceback(L, L, text, 1);
            } else {
                lua_pushfstring(L, "%s:%d: error: %s", frame.source + 1, frame.currentline, text + strlen(position));
                make_user_error(L);
            }
            return 1;
        }
        lua_pop(L, 1);
    }
    lua_pushvalue(L, 1);
    make_user_error_here(L);
    return 1;
}

int diagnostics_trace(lua_State *L)
{
    if (diagnostics_is_user_error(L, 1)) return 1;
    const char *text = luaL_tolstring(L, 1, NULL);
    if (!strstr(text, "\nstack traceback:")) luaL_traceback(L, L, text, 1);
    return 1;
}

/* The text of a user error may already say where ("tableaus/x.lua:order: error: ..."); else the user's line is added. */
static int host_fail(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    if (strstr(text, "error: "))
        make_user_error(L);
    else
        make_user_error_here(L);
    return lua_error(L);
}

static int host_warn(lua_State *L)
{
    fprintf(stderr, "%s\n", luaL_checkstring(L, 1));
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "host.warnings");
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    return 0;
}

/* warnings(): the texts of all that was warned of. */
static int host_warnings(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "host.warnings");
    return 1;
}

static int host_print(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    fwrite(text, 1, length, stdout);
    fputc('\n', stdout);
    return 0;
}

enum { LONGEST = 64 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/*
 * How many letters must be inserted, dropped, changed or swapped with their neighbour to make b of a, in any case of
 * letters.  A name typed only in part is one step away.
 */
static int edit_distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST) return INT_MAX;
    if (n >= 2 && n < m && strncasecmp(a, b, n) == 0) return 1;
    int rows[3][LONGEST + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 1; i <= n; i++) {
        int *oldest = before;
        before = above, above = row, row = oldest;
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            row[j] = least(above[j - 1] + (x != y), least(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]);
            if (swapped) row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[m];
}

const char *diagnostics_nearest(const char *word, size_t n, const char *const *names)
{
    const char *nearest = NULL;
    int limit = 1 + (int)strlen(word) / 4;
    for (size_t i = 0; i < n; i++) {
        int distance = edit_distance(word, names[i]);
        if (distance <= limit) {
            nearest = names[i];
            limit = distance - 1; /* the first of equals */
        }
    }
    return nearest;
}

static int host_nearest(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t n = lua_rawlen(L, 2);
    luaL_checkstack(L, (int)n + 1, "nearest: too many names");
    const char **names = lua_newuserdata(L, (n + 1) * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        names[i] = luaL_checkstring(L, -1);
    }
    lua_pushstring(L, diagnostics_nearest(word, n, names));
    return 1;
}

const luaL_Reg diagnostics_functions[] = {
    {"fail", host_fail},   {"warn", host_warn},       {"warnings", host_warnings},
    {"print", host_print}, {"nearest", host_nearest}, {NULL, NULL},
};
