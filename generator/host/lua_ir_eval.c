/*
 * lua_ir_eval.c - the reference evaluator from Lua.
 *
 *   g:eval({ ["input name"] = numbers, ... }, batch [, { ["input name"] = imaginary parts, ... } [, copies]])
 *     -> { ["output name"] = { re = {...}, im = {...}, terms = {...} }, ... }
 *
 * Outputs of one name are parts of one sum, and are added.
 *
 * Numbers lie in one flat list: (batch, size) row-major for a value per sample, (size) for a shared one.  Every input must
 * be given; imaginary parts that are not given are zero.  Names the graph does not know are of no interest here, because a
 * pass may have dropped an input.
 */
#include "host/lua_ir.h"

#include <stdlib.h>

static lua_Integer length_of(const ir_value *v, int32_t batch)
{
    return ir_size(v) * (v->kind == IR_SAMPLE ? batch : 1);
}

enum { REAL, IMAGINARY };

/* The list on top of the stack, which it pops, becomes one part of the n numbers at x. */
static void set_part(lua_State *L, const char *name, lua_Integer n, int part, double complex *x)
{
    lua_Integer given = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (given != n) luaL_error(L, "eval: input '%s' has %I numbers, not %I", name, (LUAI_UACINT)given, (LUAI_UACINT)n);
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, -1, i + 1);
        ((double *)x)[2 * i + part] = luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The arrays of the graph's inputs, in space that Lua owns: pushed, one userdata for each array and one for the list. */
static ir_array *push_inputs(lua_State *L, const ir_graph *g, int32_t batch, int real, int imaginary)
{
    size_t n_inputs = (size_t)ir_inputs(g, NULL);
    ir_array *arrays = lua_newuserdatauv(L, (n_inputs + 1) * sizeof *arrays, 0);
    ir_id *ids = lua_newuserdatauv(L, (n_inputs + 1) * sizeof *ids, 0);
    ir_inputs(g, ids);
    luaL_checkstack(L, (int)n_inputs, "eval: too many inputs");
    for (size_t i = 0; i < n_inputs; i++) {
        const ir_value *v = &g->values[ids[i]];
        lua_Integer n = length_of(v, batch);
        double complex *x = lua_newuserdatauv(L, (size_t)n * sizeof *x, 0);
        for (lua_Integer j = 0; j < n; j++) x[j] = 0;
        if (lua_getfield(L, real, v->name) == LUA_TNIL) luaL_error(L, "eval: there is no input '%s'", v->name);
        set_part(L, v->name, n, REAL, x);
        if (lua_getfield(L, imaginary, v->name) == LUA_TNIL)
            lua_pop(L, 1);
        else
            set_part(L, v->name, n, IMAGINARY, x);
        arrays[i] = (ir_array){.x = x};
    }
    return arrays;
}

/* Adds n numbers to the list `name` of the table on top of the stack, which is made if it is missing. */
static void add_list(lua_State *L, const char *name, const double *x, size_t stride, lua_Integer n)
{
    const bool first = lua_getfield(L, -1, name) == LUA_TNIL;
    if (first) {
        lua_pop(L, 1);
        lua_createtable(L, (int)n, 0);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
    }
    for (lua_Integer i = 0; i < n; i++) {
        double sum = x[(size_t)i * stride];
        if (!first) {
            lua_rawgeti(L, -1, i + 1);
            sum += lua_tonumber(L, -1);
            lua_pop(L, 1);
        }
        lua_pushnumber(L, sum);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pop(L, 1);
}

/* Adds an output to the { re, im, terms } of its name in the table on top of the stack. */
static void add_output(lua_State *L, const char *name, const ir_array *array, lua_Integer n)
{
    const double *x = (const double *)array->x;
    if (lua_getfield(L, -1, name) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 3);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, name);
    }
    add_list(L, "re", x + REAL, 2, n);
    add_list(L, "im", x + IMAGINARY, 2, n);
    add_list(L, "terms", array->terms, 1, n);
    lua_pop(L, 1);
}

int lua_ir_eval(lua_State *L)
{
    const ir_graph *g = lua_ir_graph(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    int32_t batch = (int32_t)luaL_checkinteger(L, 3);
    luaL_argcheck(L, batch >= 1, 3, "a batch has at least one sample");
    const int32_t copies = (int32_t)luaL_optinteger(L, 5, 1);
    lua_settop(L, 4);
    if (lua_isnil(L, 4)) {
        lua_newtable(L);
        lua_replace(L, 4);
    }
    luaL_checktype(L, 4, LUA_TTABLE);
    const ir_array *inputs = push_inputs(L, g, batch, 2, 4);
    ir_array *outputs = lua_newuserdatauv(L, ((size_t)g->n_outputs + 1) * sizeof *outputs, 0);
    if (!ir_eval(g, batch, copies, inputs, outputs)) return lua_ir_fail(L);

    lua_createtable(L, 0, g->n_outputs);
    for (int32_t i = 0; i < g->n_outputs; i++) {
        add_output(L, g->outputs[i].name, &outputs[i], length_of(&g->values[g->outputs[i].value], batch));
        free(outputs[i].x);
        free(outputs[i].terms);
    }
    return 1;
}
