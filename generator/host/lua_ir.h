/*
 * lua_ir.h - what the two files of the IR's binding share.
 */
#ifndef LRNDE_LUA_IR_H
#define LRNDE_LUA_IR_H

#include "host/host.h"
#include "ir/ir.h"

ir_graph *lua_ir_graph(lua_State *L, int index); /* the graph at index, or a Lua error */
int lua_ir_fail(lua_State *L);                   /* raises ir_error() without a position */
int lua_ir_eval(lua_State *L);                   /* g:eval */

#endif
