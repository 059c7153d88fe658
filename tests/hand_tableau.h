/*
 * hand_tableau.h - a tableau file read with a bare Lua interpreter: what hand_model.h expands, and nothing of the generator.
 */
#ifndef HAND_TABLEAU_H
#define HAND_TABLEAU_H

#include <lauxlib.h>
#include <lua.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STAGES = 20, MAX_DEGREE = 8 };

typedef struct tableau {
    int stages, total, fsal, order, degree; /* total: with the extra stages of dense output */
    double c[MAX_STAGES], A[MAX_STAGES][MAX_STAGES], b[MAX_STAGES], err[MAX_STAGES];
    double poly[MAX_STAGES][MAX_DEGREE + 1]; /* b_i(theta) = sum_j poly[i][j] theta^j */
    double beta1, beta2;
} tableau;

/* The value on top of the stack, an integer, a decimal or a fraction; pops it. */
static long double pop_number(lua_State *L)
{
    const char *text = lua_tostring(L, -1);
    char *end;
    long double x = text ? strtold(text, &end) : 0;
    if (text && *end == '/') x /= strtold(end + 1, NULL);
    lua_pop(L, 1);
    return x;
}

/* The list on top of the stack; returns its length. */
static int read_list(lua_State *L, double *to)
{
    int n = (int)luaL_len(L, -1);
    for (int i = 0; i < n; i++) {
        lua_geti(L, -1, i + 1);
        to[i] = (double)pop_number(L);
    }
    return n;
}

static void read_field(lua_State *L, const char *field, double *to)
{
    lua_getfield(L, -1, field);
    read_list(L, to);
    lua_pop(L, 1);
}

static void read_rows(lua_State *L, const char *field, double *to, int width)
{
    lua_getfield(L, -1, field);
    int n = (int)luaL_len(L, -1);
    for (int i = 0; i < n; i++) {
        lua_geti(L, -1, i + 1);
        read_list(L, to + i * width);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Cubic Hermite interpolation, as weights of the stages; stage `last` is f(t + h, u1). */
static void hermite(tableau *m, int last)
{
    m->degree = 3;
    for (int i = 0; i < m->stages; i++) m->poly[i][2] = 3 * m->b[i], m->poly[i][3] = -2 * m->b[i];
    m->poly[0][1] += 1, m->poly[0][2] -= 2, m->poly[0][3] += 1;
    m->poly[last][2] -= 1, m->poly[last][3] += 1;
}

/* b - bhat from the numbers as written: subtracting rounded ones would lose digits. */
static void read_error(lua_State *L, tableau *m)
{
    lua_getfield(L, -1, "b");
    lua_getfield(L, -2, "bhat");
    for (int i = 0; i < m->stages; i++) {
        lua_geti(L, -2, i + 1);
        long double b = pop_number(L);
        lua_geti(L, -1, i + 1);
        m->err[i] = (double)(b - pop_number(L));
    }
    lua_pop(L, 2);
}

static tableau read_tableau(const char *name)
{
    tableau m = {0};
    char path[64];
    double poly[MAX_STAGES][MAX_DEGREE] = {{0}};
    lua_State *L = luaL_newstate();
    snprintf(path, sizeof path, "tableaus/%s.lua", name);
    if (luaL_dofile(L, path)) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        exit(1);
    }
    lua_getfield(L, -1, "order");
    m.order = (int)pop_number(L);
    lua_getfield(L, -1, "b");
    m.stages = m.total = read_list(L, m.b);
    lua_pop(L, 1);
    read_field(L, "c", m.c);
    read_rows(L, "A", m.A[0], MAX_STAGES);
    read_error(L, &m);
    int last = m.stages - 1;
    m.fsal = m.c[last] == 1 && memcmp(m.A[last], m.b, sizeof m.b) == 0;
    m.beta1 = 7.0 / (10 * m.order), m.beta2 = 2.0 / (5 * m.order);
    if (lua_getfield(L, -1, "controller") == LUA_TTABLE) {
        lua_getfield(L, -1, "beta1");
        m.beta1 = (double)pop_number(L);
        lua_getfield(L, -1, "beta2");
        m.beta2 = (double)pop_number(L);
    }
    lua_pop(L, 1);
    if (lua_getfield(L, -1, "dense") == LUA_TTABLE) {
        if (lua_getfield(L, -1, "extra_c") == LUA_TTABLE) m.total += read_list(L, m.c + m.stages);
        lua_pop(L, 1);
        if (m.total > m.stages) read_rows(L, "extra_A", m.A[m.stages], MAX_STAGES);
        read_rows(L, "poly", poly[0], MAX_DEGREE);
        m.degree = MAX_DEGREE;
        for (int i = 0; i < m.total; i++) memcpy(m.poly[i] + 1, poly[i], sizeof poly[i]);
    } else if (m.fsal) {
        hermite(&m, last);
    } else {
        memcpy(m.A[m.total], m.b, sizeof m.b);
        m.c[m.total] = 1;
        hermite(&m, m.total++);
    }
    lua_close(L);
    return m;
}

#endif
