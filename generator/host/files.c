/*
 * files.c - files and folders: the root, reading, listing, and writing that never leaves half a file behind.
 *
 * What may be missing returns nil and a message; what must work (write) raises a user error.
 */
#include "host/host.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool files_push_text(lua_State *L, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        lua_pushfstring(L, "%s: %s", path, strerror(errno));
        return false;
    }
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    size_t n;
    do {
        n = fread(luaL_prepbuffer(&b), 1, LUAL_BUFFERSIZE, file);
        luaL_addsize(&b, n);
    } while (n > 0);
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    luaL_pushresult(&b);
    if (reason) lua_pushfstring(L, "%s: %s", path, strerror(reason));
    return !reason;
}

void files_see(lua_State *L, const char *path)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "host.seen"); /* a list, which has each path as a key too */
    if (lua_getfield(L, -1, path) == LUA_TNIL) {
        lua_pushboolean(L, true);
        lua_setfield(L, -3, path);
        lua_pushstring(L, path);
        lua_rawseti(L, -3, (lua_Integer)lua_rawlen(L, -3) + 1);
    }
    lua_pop(L, 2);
}

/* seen(): paths of the program, all files read and all folders listed, of modules only those that `read` has read. */
static int host_seen(lua_State *L)
{
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    files_see(L, program);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, "host.seen");
    return 1;
}

static int host_read(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    if (files_push_text(L, path)) {
        files_see(L, path);
        return 1;
    }
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int visible(const struct dirent *entry)
{
    return *entry->d_name != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* list(folder): names in it, sorted by their bytes in every locale, hidden ones left out. */
static int host_list(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct dirent **entries;
    files_see(L, path);
    int n = scandir(path, &entries, visible, by_bytes);
    if (n < 0) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: %s", path, strerror(errno));
        return 2;
    }
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_pushstring(L, entries[i]->d_name);
        lua_rawseti(L, -2, i + 1);
        free(entries[i]);
    }
    free(entries);
    return 1;
}

static int fail_writing(lua_State *L, const char *path)
{
    return diagnostics_fail(L, "%s: error: cannot be written: %s", path, strerror(errno));
}

/* Makes every folder above path that is missing. */
static void make_parents(lua_State *L, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        if (slash == path) continue;
        const char *folder = lua_pushlstring(L, path, (size_t)(slash - path));
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) fail_writing(L, folder);
        lua_pop(L, 1);
    }
}

/*
 * write(path, text [, renew]): the file has this text when it returns; says whether it had to be changed.  It is written beside
 * and renamed, so that a reader sees the old text or the new one, and unless `renew` a file that would not change keeps its date.
 */
static int host_write(lua_State *L)
{
    size_t length, old_length;
    const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
    if (!lua_toboolean(L, 3) && files_push_text(L, path)) {
        const char *old = lua_tolstring(L, -1, &old_length);
        if (length == old_length && memcmp(text, old, length) == 0) {
            lua_pushboolean(L, false);
            return 1;
        }
    }
    make_parents(L, path);
    const char *temporary = lua_pushfstring(L, "%s.%d.tmp", path, (int)getpid());
    FILE *file = fopen(temporary, "wb");
    if (!file) return fail_writing(L, path);
    bool written = fwrite(text, 1, length, file) == length;
    written = fclose(file) == 0 && written;
    if (!written || rename(temporary, path) != 0) {
        int reason = errno;
        unlink(temporary);
        errno = reason;
        return fail_writing(L, path);
    }
    lua_pushboolean(L, true);
    return 1;
}

static int host_sha256(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    char hex[65];
    sha256(text, length, hex);
    lua_pushstring(L, hex);
    return 1;
}

/* Pushes folder and returns true if the generator is there. */
static bool push_if_root(lua_State *L, const char *folder)
{
    bool found = access(lua_pushfstring(L, "%s/generator/lrnde.lua", folder), R_OK) == 0;
    lua_pop(L, 1);
    if (found) lua_pushstring(L, folder);
    return found;
}

void files_push_root(lua_State *L)
{
    const char *home = getenv("LRNDE_HOME");
    if (home && *home) {
        if (!push_if_root(L, home)) diagnostics_fail(L, "error: LRNDE_HOME: %s has no generator/lrnde.lua", home);
        return;
    }
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        *slash = '\0';
        if (push_if_root(L, path)) return;
        char installed[PATH_MAX + 16];
        snprintf(installed, sizeof installed, "%s/share/lrnde", path);
        if (push_if_root(L, installed)) return;
    }
    diagnostics_fail(L, "error: no generator/lrnde.lua in a folder above the program; LRNDE_HOME names the folder that has it");
}

const luaL_Reg files_functions[] = {
    {"read", host_read}, {"list", host_list}, {"seen", host_seen}, {"write", host_write}, {"sha256", host_sha256}, {NULL, NULL},
};
