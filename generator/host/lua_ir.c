/*
 * lua_ir.c - the Lua module "ir": graphs of values as objects, values as their numbers (from 0, as in the text form).
 *
 *   ir.ops      a list of { name, arity, class = "MAP", flops, doc }, also by name
 *   ir.passes   a list of { name, doc } in their order
 *   ir.graph()  an empty graph
 *
 *   g:const(number [, note])  g:input(name, "sample" | "shared", dims)  g:op(name, ids [, attrs])   -> id
 *   g:name(id, name)    g:output(name, id [, accumulate])
 *   g:size()            how many values
 *   g:value(id)         { op, kind, dims, args, attrs, number, name, note }; both attributes, whatever the op uses
 *   g:inputs()          ids    g:outputs()  { name, value, accumulate } each
 *   g:extract { [id] = "input name" }    g:pass(name [, { unroll_budget, unroll_width }])       -> another graph
 *   g:verify()          true, or nil and a message
 *   g:text()            the text form
 *   g:count()           { flop, shared_flop, loads, stores, op = { name = how many } }
 *   g:eval(...)         see lua_ir_eval.c
 *
 * What the IR refuses is raised as a string without a position: inside a sandboxed call that makes it an error at the
 * user's line.  Misuse of this binding is an ordinary Lua error.
 */
#include "host/lua_ir.h"
#include "passes/pass.h"

#include <stdlib.h>
#include <string.h>

static const char *const graph_type = "lrnde.graph";

ir_graph *lua_ir_graph(lua_State *L, int index)
{
    return *(ir_graph **)luaL_checkudata(L, index, graph_type);
}

int lua_ir_fail(lua_State *L)
{
    lua_pushstring(L, ir_error());
    return lua_error(L);
}

static int push_graph(lua_State *L, ir_graph *g)
{
    if (!g) return lua_ir_fail(L);
    *(ir_graph **)lua_newuserdatauv(L, sizeof g, 0) = g;
    luaL_setmetatable(L, graph_type);
    return 1;
}

static int push_id(lua_State *L, ir_id id)
{
    if (id == IR_NONE) return lua_ir_fail(L);
    lua_pushinteger(L, id);
    return 1;
}

static ir_id check_id(lua_State *L, const ir_graph *g, int index)
{
    lua_Integer id = luaL_checkinteger(L, index);
    luaL_argcheck(L, id >= 0 && id < g->n_values, index, "no value has this number");
    return (ir_id)id;
}

static int32_t check_int32(lua_State *L, int index)
{
    lua_Integer n = luaL_checkinteger(L, index);
    if (n < INT32_MIN || n > INT32_MAX) luaL_error(L, "%I is too large", (LUAI_UACINT)n);
    return (int32_t)n;
}

/* Copies the list of integers at index into space that Lua owns and collects; its length in *n.  Pushes the space. */
static int32_t *push_int32s(lua_State *L, int index, int32_t *n)
{
    luaL_checktype(L, index, LUA_TTABLE);
    *n = (int32_t)lua_rawlen(L, index);
    int32_t *list = lua_newuserdatauv(L, ((size_t)*n + 1) * sizeof *list, 0);
    for (int32_t i = 0; i < *n; i++) {
        lua_rawgeti(L, index, i + 1);
        list[i] = check_int32(L, -1);
        lua_pop(L, 1);
    }
    return list;
}

/* t[name] = list */
static void set_int32s(lua_State *L, const char *name, int32_t n, const int32_t *list)
{
    lua_createtable(L, n, 0);
    for (int32_t i = 0; i < n; i++) {
        lua_pushinteger(L, list[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static int graph_new(lua_State *L)
{
    return push_graph(L, ir_graph_new());
}

static int graph_const(lua_State *L)
{
    return push_id(L, ir_const(lua_ir_graph(L, 1), luaL_checknumber(L, 2), luaL_optstring(L, 3, NULL)));
}

static int graph_input(lua_State *L)
{
    static const char *const kinds[] = {[IR_SHARED] = "shared", [IR_SAMPLE] = "sample", NULL};
    ir_graph *g = lua_ir_graph(L, 1);
    const char *name = luaL_checkstring(L, 2);
    ir_kind kind = (ir_kind)luaL_checkoption(L, 3, NULL, kinds);
    int32_t rank, *dims = push_int32s(L, 4, &rank);
    return push_id(L, ir_input(g, name, kind, rank, dims));
}

static int graph_op(lua_State *L)
{
    ir_graph *g = lua_ir_graph(L, 1);
    const char *name = luaL_checkstring(L, 2);
    lua_settop(L, 4); /* what is pushed from here on lies above the arguments */
    ir_op op = ir_op_by_name(name);
    if (op == IR_OPS) return luaL_error(L, "there is no op '%s'", name);
    int32_t n_args, n_attrs, attrs[2] = {0, 0};
    ir_id *args = push_int32s(L, 3, &n_args);
    if (!lua_isnoneornil(L, 4)) {
        const int32_t *given = push_int32s(L, 4, &n_attrs);
        luaL_argcheck(L, n_attrs <= 2, 4, "an op has at most two attributes");
        memcpy(attrs, given, (size_t)n_attrs * sizeof *attrs);
    }
    return push_id(L, ir_value_new(g, op, n_args, args, attrs));
}

static int graph_name(lua_State *L)
{
    ir_graph *g = lua_ir_graph(L, 1);
    ir_set_name(g, check_id(L, g, 2), luaL_checkstring(L, 3));
    return 0;
}

static int graph_output(lua_State *L)
{
    ir_graph *g = lua_ir_graph(L, 1);
    ir_add_output(g, luaL_checkstring(L, 2), check_id(L, g, 3), lua_toboolean(L, 4));
    return 0;
}

static int graph_outputs(lua_State *L)
{
    const ir_graph *g = lua_ir_graph(L, 1);
    lua_createtable(L, g->n_outputs, 0);
    for (int32_t i = 0; i < g->n_outputs; i++) {
        lua_createtable(L, 0, 3);
        set_string(L, "name", g->outputs[i].name);
        set_integer(L, "value", g->outputs[i].value);
        lua_pushboolean(L, g->outputs[i].accumulate);
        lua_setfield(L, -2, "accumulate");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int graph_inputs(lua_State *L)
{
    const ir_graph *g = lua_ir_graph(L, 1);
    ir_id *ids = lua_newuserdatauv(L, ((size_t)ir_inputs(g, NULL) + 1) * sizeof *ids, 0);
    int32_t n = ir_inputs(g, ids);
    lua_createtable(L, n, 0);
    for (int32_t i = 0; i < n; i++) {
        lua_pushinteger(L, ids[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int graph_size(lua_State *L)
{
    lua_pushinteger(L, lua_ir_graph(L, 1)->n_values);
    return 1;
}

static int graph_value(lua_State *L)
{
    const ir_graph *g = lua_ir_graph(L, 1);
    const ir_value *v = &g->values[check_id(L, g, 2)];
    lua_createtable(L, 0, 8);
    set_string(L, "op", ir_ops[v->op].name);
    set_string(L, "kind", v->kind == IR_SAMPLE ? "sample" : "shared");
    set_int32s(L, "dims", v->rank, v->dim);
    set_int32s(L, "args", v->n_args, v->args);
    set_int32s(L, "attrs", 2, v->attr);
    if (v->op == IR_const) {
        lua_pushnumber(L, v->number);
        lua_setfield(L, -2, "number");
    }
    set_string(L, "name", v->name);
    set_string(L, "note", v->note);
    return 1;
}

static int graph_extract(lua_State *L)
{
    const ir_graph *g = lua_ir_graph(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer n_keys = 0;
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) n_keys++;
    ir_id *stops = lua_newuserdatauv(L, ((size_t)n_keys + 1) * sizeof *stops, 0);
    const char **names = lua_newuserdatauv(L, ((size_t)n_keys + 1) * sizeof *names, 0);
    int32_t n = 0;
    for (ir_id id = 0; id < g->n_values; id++) {
        if (lua_rawgeti(L, 2, id) == LUA_TSTRING) {
            stops[n] = id;
            names[n++] = lua_tostring(L, -1);
        }
        lua_pop(L, 1);
    }
    luaL_argcheck(L, n == n_keys, 2, "a table of value number = input name is wanted");
    return push_graph(L, ir_extract(g, n, stops, names));
}

static int graph_pass(lua_State *L)
{
    const ir_graph *g = lua_ir_graph(L, 1);
    const char *name = luaL_checkstring(L, 2);
    pass_options options = pass_defaults;
    if (!lua_isnoneornil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        lua_getfield(L, 3, "unroll_budget");
        options.unroll_budget = luaL_optinteger(L, -1, options.unroll_budget);
        if (lua_getfield(L, 3, "unroll_width") != LUA_TNIL) options.unroll_width = check_int32(L, -1);
    }
    return push_graph(L, pass_run(g, name, &options));
}

static int graph_verify(lua_State *L)
{
    if (ir_verify(lua_ir_graph(L, 1))) {
        lua_pushboolean(L, true);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, ir_error());
    return 2;
}

static int graph_text(lua_State *L)
{
    const ir_graph *g = lua_ir_graph(L, 1);
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (!memory) return luaL_error(L, "not enough memory");
    ir_print(g, memory);
    fclose(memory);
    lua_pushlstring(L, text, length);
    free(text);
    return 1;
}

static int graph_count(lua_State *L)
{
    ir_counts counts = ir_count(lua_ir_graph(L, 1));
    lua_createtable(L, 0, 5);
    set_integer(L, "flop", counts.flop);
    set_integer(L, "shared_flop", counts.shared_flop);
    set_integer(L, "loads", counts.loads);
    set_integer(L, "stores", counts.stores);
    lua_newtable(L);
    for (int op = 0; op < IR_OPS; op++)
        if (counts.op[op] > 0) set_integer(L, ir_ops[op].name, counts.op[op]);
    lua_setfield(L, -2, "op");
    return 1;
}

static void push_ops(lua_State *L)
{
    static const char *const classes[] = {[IR_LEAF] = "LEAF",     [IR_MAP] = "MAP",       [IR_STRUCT] = "STRUCT",
                                          [IR_MATRIX] = "MATRIX", [IR_LOOKUP] = "LOOKUP", [IR_SOLVE] = "SOLVE"};
    lua_createtable(L, IR_OPS, IR_OPS);
    for (int op = 0; op < IR_OPS; op++) {
        lua_createtable(L, 0, 5);
        set_string(L, "name", ir_ops[op].name);
        set_integer(L, "arity", ir_ops[op].arity);
        set_string(L, "class", classes[ir_ops[op].class]);
        set_integer(L, "flops", ir_ops[op].flops);
        set_string(L, "doc", ir_ops[op].doc);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, ir_ops[op].name);
        lua_rawseti(L, -2, op + 1);
    }
}

static void push_passes(lua_State *L)
{
    lua_createtable(L, PASSES, 0);
    for (int i = 0; i < PASSES; i++) {
        lua_createtable(L, 0, 2);
        set_string(L, "name", passes[i].name);
        set_string(L, "doc", passes[i].doc);
        lua_rawseti(L, -2, i + 1);
    }
}

static const luaL_Reg graph_methods[] = {
    {"const", graph_const},     {"input", graph_input},     {"op", graph_op},       {"name", graph_name},
    {"output", graph_output},   {"size", graph_size},       {"value", graph_value}, {"inputs", graph_inputs},
    {"outputs", graph_outputs}, {"extract", graph_extract}, {"pass", graph_pass},   {"verify", graph_verify},
    {"text", graph_text},       {"count", graph_count},     {"eval", lua_ir_eval},  {NULL, NULL},
};

int luaopen_ir(lua_State *L)
{
    luaL_newmetatable(L, graph_type);
    luaL_newlib(L, graph_methods);
    lua_setfield(L, -2, "__index");
    lua_createtable(L, 0, 3);
    push_ops(L);
    lua_setfield(L, -2, "ops");
    push_passes(L);
    lua_setfield(L, -2, "passes");
    lua_pushcfunction(L, graph_new);
    lua_setfield(L, -2, "graph");
    return 1;
}
