/* version.h - the version all tools print. */
#ifndef LRNDE_CLI_VERSION_H
#define LRNDE_CLI_VERSION_H

#define LRNDE_VERSION "0.1.0"

#endif
