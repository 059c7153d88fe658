/*
 * options.c - the command line: options.def as a table, --help, and arguments to a Lua table.
 *
 * The table has a field for every option by its name with "_" for "-": a boolean for a FLAG (always there), text, an
 * integer, or for a PAIR a list of { key, value } in the order given; and
 *   model         the MODEL.lua argument, if there is one
 *   command_line  the options that change the text as one would type them, sorted
 * Of an option given twice the last counts.  Arguments go "--name value", "--name=value", "-n value" or "-nvalue".
 */
#include "host/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum option_kind { FLAG, TEXT, INTEGER, PAIR } option_kind;

typedef struct option {
    const char *name;
    char letter;
    option_kind kind;
    const char *argument;
    bool changes_text;
    const char *help;
} option;

static const option options[] = {
#define OPTION(name, letter, kind, argument, changes_text, help) {name, letter, kind, argument, changes_text, help},
#include "host/options.def"
#undef OPTION
};
enum { OPTIONS = sizeof options / sizeof *options };

static void print_help(void)
{
    printf("usage: lrnde-gen [options] MODEL.lua\n\nWrites a model's kernels as C and CUDA.\n\n");
    for (const option *o = options; o < options + OPTIONS; o++) {
        char left[64];
        snprintf(left, sizeof left, "%c%c%c --%s %s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ',' : ' ',
                 o->name, o->argument ? o->argument : "");
        printf("  %-30s  %s\n", left, o->help);
    }
    printf("\nExit status: 0 done, 1 the input is wrong, 2 internal error.\n");
}

static int fail_unknown(lua_State *L, const char *word, size_t length)
{
    const char *names[OPTIONS];
    for (int i = 0; i < OPTIONS; i++) names[i] = options[i].name;
    const char *name = lua_pushlstring(L, word, length);
    const char *nearest = diagnostics_nearest(name, OPTIONS, names);
    if (nearest) return diagnostics_fail(L, "lrnde-gen: error: unknown option '--%s'; did you mean '--%s'?", name, nearest);
    return diagnostics_fail(L, "lrnde-gen: error: unknown option '--%s'; --help lists the options", name);
}

static const option *find_long(lua_State *L, const char *word, size_t length)
{
    for (const option *o = options; o < options + OPTIONS; o++)
        if (strlen(o->name) == length && memcmp(o->name, word, length) == 0) return o;
    fail_unknown(L, word, length);
    return NULL;
}

static const option *find_letter(lua_State *L, char letter)
{
    for (const option *o = options; o < options + OPTIONS; o++)
        if (o->letter == letter) return o;
    diagnostics_fail(L, "lrnde-gen: error: unknown option '-%c'; --help lists the options", letter);
    return NULL;
}

/* Pushes word so that a shell reads it back as one word. */
static void push_quoted(lua_State *L, const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.,:=/%@";
    if (*word && word[strspn(word, plain)] == '\0') {
        lua_pushstring(L, word);
    } else {
        luaL_Buffer b;
        luaL_buffinit(L, &b);
        luaL_addchar(&b, '\'');
        luaL_addgsub(&b, word, "'", "'\\''");
        luaL_addchar(&b, '\'');
        luaL_pushresult(&b);
    }
}

/* Remembers how an option that changes the text was given.  A file is named without its folder. */
static void remember(lua_State *L, int given, const option *o, const char *key, const char *value)
{
    const char *slash = o->kind == TEXT ? strrchr(value, '/') : NULL;
    lua_pushfstring(L, "--%s %s", o->name, key);
    lua_pushfstring(L, "--%s ", o->name);
    push_quoted(L, slash ? slash + 1 : value);
    lua_concat(L, 2);
    lua_settable(L, given);
}

/* Stores one option's value; its name and value are the strings on top of the stack, which it pops. */
static void store(lua_State *L, int table, int given, const option *o)
{
    const char *field = lua_tostring(L, -2), *value = lua_tostring(L, -1);
    const char *key = "";
    if (o->kind == TEXT) {
        lua_pushstring(L, value);
        lua_setfield(L, table, field);
    } else if (o->kind == INTEGER) {
        char *end;
        errno = 0;
        long long number = strtoll(value, &end, 10);
        if (errno || end == value || *end || number < 0)
            diagnostics_fail(L, "lrnde-gen: error: --%s: '%s' is not a whole number", o->name, value);
        lua_pushinteger(L, number);
        lua_setfield(L, table, field);
    } else {
        const char *equal = strchr(value, '=');
        if (!equal || equal == value) diagnostics_fail(L, "lrnde-gen: error: --%s: '%s' is not %s", o->name, value, o->argument);
        lua_getfield(L, table, field);
        lua_createtable(L, 2, 0);
        key = lua_pushlstring(L, value, (size_t)(equal - value));
        lua_rawseti(L, -2, 1);
        lua_pushstring(L, equal + 1);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 1);
    }
    if (o->changes_text) remember(L, given, o, key, value);
    lua_pop(L, 2);
}

/* Pushes the name of the option's field in the table. */
static const char *push_field_name(lua_State *L, const option *o)
{
    return luaL_gsub(L, o->name, "-", "_");
}

static void set_defaults(lua_State *L, int table)
{
    for (const option *o = options; o < options + OPTIONS; o++) {
        if (o->kind == TEXT || o->kind == INTEGER) continue;
        push_field_name(L, o);
        if (o->kind == FLAG)
            lua_pushboolean(L, false);
        else
            lua_newtable(L);
        lua_settable(L, table);
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Pushes what was remembered, sorted, with a blank between. */
static void push_command_line(lua_State *L, int given)
{
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, given); lua_pop(L, 1)) n++;
    const char **texts = lua_newuserdata(L, (n + 1) * sizeof *texts);
    n = 0;
    for (lua_pushnil(L); lua_next(L, given); lua_pop(L, 1)) texts[n++] = lua_tostring(L, -1);
    qsort(texts, n, sizeof *texts, compare_texts);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) luaL_addchar(&b, ' ');
        luaL_addstring(&b, texts[i]);
    }
    luaL_pushresult(&b);
    lua_remove(L, -2);
}

static bool is_set(lua_State *L, int table, const char *field)
{
    bool set = lua_getfield(L, table, field) != LUA_TNIL && lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

static void set_model(lua_State *L, int table, const char *path)
{
    if (is_set(L, table, "model")) {
        lua_getfield(L, table, "model");
        diagnostics_fail(L, "lrnde-gen: error: one model file at a time, not '%s' and '%s'", lua_tostring(L, -1), path);
    }
    lua_pushstring(L, path);
    lua_setfield(L, table, "model");
}

/* Takes the option that word, after its dashes, names; returns how many arguments after it were used up, 0 or 1. */
static int take(lua_State *L, int table, int given, const option *o, const char *attached, const char *next)
{
    push_field_name(L, o);
    if (o->kind == FLAG) {
        if (attached) diagnostics_fail(L, "lrnde-gen: error: --%s takes no argument", o->name);
        lua_pushboolean(L, true);
        lua_settable(L, table);
        return 0;
    }
    const char *value = attached ? attached : next;
    if (!value) diagnostics_fail(L, "lrnde-gen: error: --%s needs an argument: %s", o->name, o->argument);
    lua_pushstring(L, value);
    store(L, table, given, o);
    return !attached;
}

bool options_parse(lua_State *L, int argc, char **argv)
{
    lua_newtable(L);
    int table = lua_gettop(L);
    lua_newtable(L); /* "--set key" -> "--set key=value" */
    int given = lua_gettop(L);
    set_defaults(L, table);
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (only_files || *word != '-' || word[1] == '\0') {
            set_model(L, table, word);
        } else if (word[1] != '-') {
            i += take(L, table, given, find_letter(L, word[1]), word[2] ? word + 2 : NULL, next);
        } else if (word[2] == '\0') {
            only_files = true;
        } else {
            size_t length = strcspn(word + 2, "=");
            const char *equal = word + 2 + length;
            i += take(L, table, given, find_long(L, word + 2, length), *equal ? equal + 1 : NULL, next);
        }
    }
    push_command_line(L, given);
    lua_setfield(L, table, "command_line");
    lua_settop(L, table);

    if (is_set(L, table, "help")) {
        print_help();
        return false;
    }
    if (is_set(L, table, "version")) {
        printf("lrnde-gen " HOST_VERSION "\n");
        return false;
    }
    return true;
}
