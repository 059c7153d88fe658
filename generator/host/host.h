/*
 * host.h - what the files of the host offer each other.
 *
 * The host is the C program around the generator: it reads the command line, gives the Lua side files, a sandbox and the
 * IR, and turns every error into a message and an exit status.  Only this folder sees both lua.h and ir.h.
 *
 * Two kinds of error travel through Lua:
 *   a user error   an object made by diagnostics_fail: the input is wrong; its text is printed as it is, exit 1
 *   anything else  a bug of ours: printed with a traceback, exit 2
 *
 * A chunk that came through the sandbox is named "=path" ("@path" is everybody else), which is how a frame of the user's
 * file is recognized on the stack.
 */
#ifndef LRNDE_HOST_H
#define LRNDE_HOST_H

#include <lua.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stddef.h>

#define HOST_VERSION "0.1.0"

/* host.c: runs body(L) under a new state whose standard library is open, with "host" and "ir" preloaded and package.path
 * on the root's generator/ and on more_path (a pattern below the root, or NULL).  argc and argv reach body as its
 * arguments, a number and a light userdata.  Returns the exit status: body's integer result, or that of the error. */
int host_run(const char *tool, lua_CFunction body, const char *more_path, int argc, char **argv);

/* options.c: pushes the table of options.  False: the answer was --help or --version and has been given. */
bool options_parse(lua_State *L, int argc, char **argv);

/* diagnostics.c */
int diagnostics_fail(lua_State *L, const char *format, ...); /* raises a user error, as luaL_error does */
bool diagnostics_is_user_error(lua_State *L, int index);
bool diagnostics_user_frame(lua_State *L, lua_Debug *frame); /* source, currentline of his innermost; allocates nothing */
int diagnostics_locate(lua_State *L);                        /* message handler of sandboxed calls */
int diagnostics_trace(lua_State *L);                         /* message handler of everything else */
const char *diagnostics_nearest(const char *word, size_t n, const char *const *names); /* NULL if none is near */

/* sandbox.c, safe_env.c */
lua_State *sandbox_new_state(void); /* NULL: no memory */
void sandbox_close_state(lua_State *L);
bool sandbox_entry(lua_State *L, lua_Debug *frame);         /* source, currentline of the function called from outside */
void safe_env_install(lua_State *L);                        /* string methods of sandboxed code see the safe library */
void safe_env_seal(lua_State *L, int t, const char *where); /* reading an unknown name of table t is an error from now on */

/* files.c */
void files_push_root(lua_State *L);             /* the folder that holds generator/, tableaus/, templates/; or a user error */
void files_see(lua_State *L, const char *path); /* notes that what is made depends on this file, or folder's entries */
bool files_push_text(lua_State *L, const char *path); /* pushes the file's text, or says false and pushes the reason */

/* sha256.c */
void sha256(const void *data, size_t length, char hex[65]);

/* What each file adds to the Lua module "host". */
extern const luaL_Reg diagnostics_functions[], files_functions[], numbers_functions[], sandbox_functions[], safe_env_functions[];

/* lua_ir.c: the Lua module "ir" */
int luaopen_ir(lua_State *L);

#endif
