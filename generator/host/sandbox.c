/*
 * sandbox.c - running a file of the user's: bounded in instructions, memory and time, its errors told as its own.
 *
 *   host.sandbox(path, env, limits)   loads the text file, runs it with env as its globals, returns what it returns
 *   host.guarded(fn, ...)             calls a function that came out of such a file under the default limits
 *   limits = { instructions = 50e6, memory = 256 * 2^20, seconds = 60 }
 *
 * The instruction limit is a count hook.  The memory limit is in the allocator, so nothing gets around it: not
 * string.rep, not a table that doubles.  The time limit is for single instructions that work long (comparing two strings
 * of 100 MiB, a billion times); an ordinary endless loop meets the instruction limit first, on every machine alike.
 *
 * A limit that was hit stays hit until the outermost guarded call is left: the hook then fires at every instruction, and
 * the call fails even if it returns, so no pcall can swallow it.  Calls nest inside the limits of the outermost one.
 */
#include "host/host.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PERIOD = 100 }; /* instructions between two looks at the limits */

typedef struct limits {
    int64_t instructions;
    size_t memory; /* bytes, beyond what was in use at the start */
    double seconds;
} limits;
static const limits default_limits = {50000000, (size_t)256 << 20, 60};

typedef struct guard {    /* one a state; the allocator's user data */
    size_t used, ceiling; /* bytes */
    size_t refused;       /* the bytes of the request that was over the ceiling, 0 if none was */
    bool armed;
    limits limits;
    lua_State *L;    /* while armed: where the call runs */
    lua_Debug entry; /* the user's function that was called from outside: source "" if it is none of his */
    int64_t left;    /* instructions */
    double deadline;
    char verdict[PATH_MAX + 128]; /* which limit was hit, and where; empty while none was */
} guard;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static guard *guard_of(lua_State *L)
{
    void *g;
    lua_getallocf(L, &g);
    return g;
}

bool sandbox_entry(lua_State *L, lua_Debug *frame)
{
    const guard *g = guard_of(L);
    if (!g->armed || !g->entry.source || *g->entry.what == 'C' || *g->entry.source != '=') return false;
    frame->source = g->entry.source;
    frame->currentline = g->entry.linedefined > 0 ? g->entry.linedefined : 1;
    return true;
}

static void look_at_limits(lua_State *L, lua_Debug *frame);

/* Records the first limit that was hit and makes the next instruction fail.  Called by the allocator too: allocates nothing. */
static void trip(guard *g, const char *complaint)
{
    lua_Debug frame;
    if (diagnostics_user_frame(g->L, &frame))
        snprintf(g->verdict, sizeof g->verdict, "%s:%d: error: %s", frame.source + 1, frame.currentline, complaint);
    else
        snprintf(g->verdict, sizeof g->verdict, "error: %s", complaint);
    lua_sethook(g->L, look_at_limits, LUA_MASKCOUNT, 1);
}

static void look_at_limits(lua_State *L, lua_Debug *frame)
{
    (void)frame;
    guard *g = guard_of(L);
    char complaint[96];
    if (*g->verdict) luaL_error(L, "a limit was hit");
    if (lua_gethookcount(L) != PERIOD) lua_sethook(L, look_at_limits, LUA_MASKCOUNT, PERIOD); /* a request granted after all */
    g->left -= PERIOD;
    if (g->left < 0) {
        snprintf(complaint, sizeof complaint, "ran for more than %lld instructions (an endless loop?)",
                 (long long)g->limits.instructions);
        trip(g, complaint);
    } else if (now() > g->deadline) {
        snprintf(complaint, sizeof complaint, "ran for more than %g s", g->limits.seconds);
        trip(g, complaint);
    }
}

/* Lua collects garbage and asks again: only a request that is never granted was over the limit. */
static void refuse(guard *g, size_t growth)
{
    if (*g->verdict) return;
    char complaint[96];
    snprintf(complaint, sizeof complaint, "needs more than %g MiB of memory", (double)g->limits.memory / (1 << 20));
    trip(g, complaint);
    g->refused = growth;
}

static void grant(guard *g, size_t growth)
{
    g->used += growth;
    if (g->refused == 0 || growth < g->refused) return;
    g->refused = 0;
    g->verdict[0] = '\0';
}

static void *allocate(void *user, void *block, size_t old_size, size_t size)
{
    guard *g = user;
    if (!block) old_size = 0; /* Lua tells the type there */
    if (size == 0) {
        free(block);
        g->used -= old_size;
        return NULL;
    }
    if (size <= old_size) { /* must not fail: a block that cannot be moved is left as it is */
        void *moved = realloc(block, size);
        g->used -= old_size - size;
        return moved ? moved : block;
    }
    size_t growth = size - old_size;
    if (g->used > g->ceiling || growth > g->ceiling - g->used) {
        refuse(g, growth);
        return NULL;
    }
    void *moved = realloc(block, size);
    if (moved) grant(g, growth);
    return moved;
}

lua_State *sandbox_new_state(void)
{
    guard *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->ceiling = SIZE_MAX;
    return lua_newstate(allocate, g);
}

void sandbox_close_state(lua_State *L)
{
    guard *g = guard_of(L);
    lua_close(L);
    free(g);
}

static void arm(guard *g, lua_State *L, const limits *limits)
{
    g->armed = true;
    g->limits = *limits;
    g->L = L;
    g->left = limits->instructions;
    g->deadline = now() + limits->seconds;
    g->ceiling = g->used + limits->memory;
    g->refused = 0;
    g->verdict[0] = '\0';
    lua_sethook(L, look_at_limits, LUA_MASKCOUNT, PERIOD);
}

static void disarm(guard *g)
{
    lua_sethook(g->L, NULL, 0, 0);
    g->ceiling = SIZE_MAX;
    g->armed = false;
}

/* Notes where the function on top of the stack was written, and pops it. */
static void set_entry(guard *g, lua_State *L)
{
    g->entry.source = NULL;
    if (lua_isfunction(L, -1))
        lua_getinfo(L, ">S", &g->entry);
    else
        lua_pop(L, 1);
}

/* Calls the function below its n_args arguments at the top of the stack; returns how many results it left there. */
static int call(lua_State *L, int n_args, const limits *limits)
{
    guard *g = guard_of(L);
    bool outermost = !g->armed;
    int function = lua_gettop(L) - n_args;
    const lua_Debug outer = g->entry;
    lua_pushvalue(L, function);
    set_entry(g, L);
    lua_pushcfunction(L, diagnostics_locate);
    lua_insert(L, function);
    if (outermost) arm(g, L, limits);
    int status = lua_pcall(L, n_args, LUA_MULTRET, function);
    g->entry = outer;
    if (outermost) {
        disarm(g);
        if (*g->verdict) return diagnostics_fail(L, "%s", g->verdict);
    }
    if (status != LUA_OK) return lua_error(L);
    return lua_gettop(L) - function;
}

/* (path, env) -> what the file returns */
static int load_and_run(lua_State *L)
{
    const char *path = lua_tostring(L, 1);
    if (!files_push_text(L, path)) return diagnostics_fail(L, "error: %s", lua_tostring(L, -1));
    files_see(L, path);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    const char *chunk = lua_pushfstring(L, "=%s", path);
    if (luaL_loadbufferx(L, text, length, chunk, "t") != LUA_OK) {
        /* "path:line: what", the path cut as Lua cuts it; or, if the parser ran out of something, only what */
        const char *message = luaL_tolstring(L, -1, NULL);
        size_t cut = strlen(path) < LUA_IDSIZE ? strlen(path) : LUA_IDSIZE - 1;
        char *rest;
        long line = strncmp(message, path, cut) == 0 && message[cut] == ':' ? strtol(message + cut + 1, &rest, 10) : 0;
        if (line > 0) return diagnostics_fail(L, "%s:%d: error: %s", path, (int)line, rest + strspn(rest, ": "));
        return diagnostics_fail(L, "%s: error: %s", path, message);
    }
    lua_pushvalue(L, 2);
    lua_setupvalue(L, -2, 1);
    lua_pushvalue(L, -1);
    set_entry(guard_of(L), L);
    lua_call(L, 0, 1);
    return 1;
}

static lua_Number limit_field(lua_State *L, int table, const char *name, lua_Number default_value)
{
    lua_getfield(L, table, name);
    lua_Number value = luaL_optnumber(L, -1, default_value);
    lua_pop(L, 1);
    return value;
}

static int host_sandbox(lua_State *L)
{
    luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    limits limits = default_limits;
    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        limits.instructions = (int64_t)limit_field(L, 3, "instructions", (lua_Number)limits.instructions);
        limits.memory = (size_t)limit_field(L, 3, "memory", (lua_Number)limits.memory);
        limits.seconds = limit_field(L, 3, "seconds", limits.seconds);
    }
    if (!lua_getmetatable(L, 2)) safe_env_seal(L, 2, "a data file");
    lua_pushcfunction(L, load_and_run);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    return call(L, 2, &limits);
}

static int host_guarded(lua_State *L)
{
    luaL_checkany(L, 1);
    return call(L, lua_gettop(L) - 1, &default_limits);
}

const luaL_Reg sandbox_functions[] = {{"sandbox", host_sandbox}, {"guarded", host_guarded}, {NULL, NULL}};
