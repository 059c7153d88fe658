/*
 * test_cuda_cache.c - compiled kernels on disk, with the fake compiler of tests/cuda_fakes, and the driver's own kernels by the
 * real one where it is installed.
 */
#include "cuda_world.h"

#include "compile.h"
#include "vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

enum { PROCESSES = 8, ROUNDS = 20, DRIVER = 13000, CAPABILITY = 90 };

static lrnde__cuda_program program = {.name = "toy", .text = "a kernel\n", .capability = CAPABILITY, .driver = DRIVER};

/* What was made, or what is in the way. */
static void compile(char *text)
{
    lrnde__cuda_image image;
    if (lrnde__cuda_compile(&program, 1, &image, text, WORLD_TEXT)) return;
    MUST(strlen(image.bytes) + 1 == image.size);
    snprintf(text, WORLD_TEXT, "%s", image.bytes);
    free(image.bytes);
}

static const char MADE[] = "FAKE CUBIN cubin sm_90\na kernel\n";

/* What the compiler has noted since the last call: valid until the next. */
static const char *journal(void)
{
    static char text[4096];
    FILE *from = fopen(world_file("journal"), "r");
    text[from ? fread(text, 1, sizeof text - 1, from) : 0] = '\0';
    if (from) fclose(from);
    unlink(world_file("journal"));
    return text;
}

/* The only compiled file in the cache; valid until the next call. */
static const char *cached(void)
{
    static char path[512];
    glob_t found;
    assert_int_equal(glob(world_file("cache/cuda/*.cubin"), 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    snprintf(path, sizeof path, "%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
}

static int forget(void **state)
{
    (void)state;
    nftw(world_file("cache"), world_remove_file, 8, FTW_DEPTH | FTW_PHYS);
    journal();
    return 0;
}

/* The second time the compiler is not even loaded; another text, device, driver or compiler is another key. */
static void hit(void **state)
{
    (void)state;
    struct stat s;
    assert_string_equal(world_run(compile, NULL), MADE);
    assert_string_equal(journal(), "loaded\nsm_90\n");
    assert_int_equal(stat(world_file("cache/cuda"), &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
    assert_string_equal(world_run(compile, NULL), MADE);
    assert_string_equal(journal(), "");

    program.driver = 13020;
    assert_string_equal(world_run(compile, NULL), MADE);
    assert_string_equal(journal(), "loaded\nsm_90\n");
    program.driver = DRIVER;
    program.capability = 80;
    assert_contains(world_run(compile, NULL), "sm_80");
    assert_string_equal(journal(), "loaded\nsm_80\n");
    program.capability = CAPABILITY;
    program.text = "another kernel\n";
    assert_contains(world_run(compile, NULL), program.text);
    assert_string_equal(journal(), "loaded\nsm_90\n");
    program.text = "a kernel\n";

    char *fake = world_fake("libnvrtc.so");
    const struct timespec later[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    assert_int_equal(utimensat(AT_FDCWD, fake, later, 0), 0);
    free(fake);
    assert_string_equal(world_run(compile, NULL), MADE);
    assert_string_equal(journal(), "loaded\nsm_90\n");
}

/* Any byte changed, or any length, is found out, and the file is made anew. */
static void damage(void **state)
{
    (void)state;
    assert_string_equal(world_run(compile, NULL), MADE);
    journal();
    struct stat s;
    assert_int_equal(stat(cached(), &s), 0);
    for (long at = 0; at <= s.st_size; at += at < 40 ? 1 : 7) {
        FILE *file = fopen(cached(), "r+");
        assert_non_null(file);
        if (at < s.st_size) {
            fseek(file, at, SEEK_SET);
            int byte = fgetc(file);
            fseek(file, at, SEEK_SET);
            fputc(byte ^ 1, file);
        } else {
            assert_int_equal(ftruncate(fileno(file), s.st_size / 2), 0);
        }
        fclose(file);
        assert_string_equal(world_run(compile, NULL), MADE);
        assert_string_equal(journal(), "loaded\nsm_90\n");
        assert_string_equal(world_run(compile, NULL), MADE);
        assert_string_equal(journal(), "");
    }
}

/* Several processes that find, make and damage the same file all get what they asked for. */
static const char *victim;

static void compile_often(char *text)
{
    for (int round = 0; round < ROUNDS; round++) {
        compile(text);
        MUST(!strcmp(text, MADE));
        if (round % 5 == 4) MUST(!truncate(victim, round));
    }
}

static void together(char *text)
{
    (void)text;
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0) {
            char own[WORLD_TEXT];
            compile_often(own);
            _exit(0);
        }
    for (int status, i = 0; i < PROCESSES; i++) MUST(wait(&status) > 0 && status == 0);
}

static void processes(void **state)
{
    (void)state;
    world_run(compile, NULL);
    victim = cached();
    world_run(together, NULL);
    assert_string_equal(world_run(compile, NULL), MADE);
    cached();
}

/* A folder that cannot be made, or that others may write to, is not used; nothing else changes. */
static void unusable_folder(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_string_equal(world_run(compile, WITH("LRNDE_CACHE=/dev/null/cache")), MADE);
        assert_string_equal(journal(), "loaded\nsm_90\n");
    }
    assert_string_equal(world_run(compile, NULL), MADE);
    assert_int_equal(chmod(world_file("cache/cuda"), 0777), 0);
    journal();
    assert_string_equal(world_run(compile, NULL), MADE);
    assert_string_equal(journal(), "loaded\nsm_90\n");
    assert_int_equal(chmod(world_file("cache/cuda"), 0700), 0);
    assert_string_equal(world_run(compile, NULL), MADE);
    assert_string_equal(journal(), "");
}

/* A compiler older than the device makes PTX, if the driver can read it; one that has forgotten the device does not do. */
static void other_devices(void **state)
{
    (void)state;
    assert_contains(world_run(compile, WITH("FAKE_NVRTC_NEWEST=80")), "FAKE CUBIN PTX compute_80");
    forget(NULL);
    program.driver = 12040;
    assert_contains(world_run(compile, WITH("FAKE_NVRTC_NEWEST=80", "FAKE_NVRTC_VERSION=12")), "FAKE CUBIN PTX compute_80");
    forget(NULL);
    assert_contains(world_run(compile, WITH("FAKE_NVRTC_NEWEST=80", "FAKE_NVRTC_VERSION=13")),
                    "later than the NVIDIA driver's 12.4");
    program.driver = DRIVER;
    program.capability = 60;
    assert_contains(world_run(compile, NULL), "NVRTC 13.0 no longer compiles for this device, of compute capability 6.0");
    program.capability = CAPABILITY;
}

/* ---- several at once ---- */

enum { PROGRAMS = 5 };

static const char *const *options_of(int i)
{
    static const char *const options[PROGRAMS][2] = {{"-DA"}, {"-DB"}, {"-DC"}, {"-DD"}, {"-DE"}};
    return options[i];
}

/* Programs alike but for their options, or, if `which` is one of them, a mistake in that. */
static int compile_several(lrnde__cuda_image images[PROGRAMS], int which, char *text)
{
    lrnde__cuda_program programs[PROGRAMS];
    static char texts[PROGRAMS][64];
    for (int i = 0; i < PROGRAMS; i++) {
        snprintf(texts[i], sizeof *texts, "text %d\n%s\n", i / 2, i == which ? "#error here" : "right");
        programs[i] = program;
        programs[i].text = texts[i];
        programs[i].options = options_of(i);
    }
    return lrnde__cuda_compile(programs, PROGRAMS, images, text, WORLD_TEXT);
}

static void make_several(char *text)
{
    char expected[128];
    lrnde__cuda_image images[PROGRAMS];
    if (getenv("FAKE_NVRTC_PROCESS")) {
        snprintf(expected, sizeof expected, "%d", (int)getpid());
        setenv("FAKE_NVRTC_PROCESS", expected, 1);
    }
    MUST(!compile_several(images, -1, text));
    for (int i = 0; i < PROGRAMS; i++) {
        snprintf(expected, sizeof expected, "FAKE CUBIN cubin sm_90\ntext %d\nright\n", i / 2);
        MUST(!strcmp(images[i].bytes, expected) && images[i].size == strlen(expected) + 1);
        free(images[i].bytes);
    }
    MUST(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static void break_one(char *text)
{
    lrnde__cuda_image images[PROGRAMS];
    MUST(compile_several(images, 3, text));
    for (int i = 0; i < PROGRAMS; i++) MUST(!images[i].bytes);
    MUST(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

static void ignore_children(char *text)
{
    signal(SIGCHLD, SIG_IGN); /* waiting for one then fails */
    make_several(text);
}

static int lines(const char *text)
{
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

/* Each is one file of the cache; a child that dies leaves its program to us; a mistake in one is reported, the others are kept. */
static void several(void **state)
{
    (void)state;
    world_run(make_several, NULL);
    assert_int_equal(lines(journal()), 2 * PROGRAMS);
    world_run(make_several, NULL);
    assert_string_equal(journal(), "");
    forget(NULL);
    world_run(make_several, WITH("FAKE_NVRTC_PROCESS=1"));
    assert_int_equal(lines(journal()), 2 * PROGRAMS + 1 + PROGRAMS); /* loaded once more, and run for each */
    forget(NULL);
    world_run(ignore_children, NULL);
    assert_int_equal(lines(journal()), 2 * PROGRAMS);
    forget(NULL);
    assert_contains(world_run(break_one, NULL), "toy.cu(2): error: #error directive: here: #error here; all of it: ");
    journal();
    world_run(make_several, NULL);
    assert_int_equal(lines(journal()), 2); /* that one alone, by this process */
}

/* ---- the real compiler ---- */

static char *real_compiler;

static int is_elf(const lrnde__cuda_image *image)
{
    return image->size > 4 && !memcmp(image->bytes, "\177ELF", 4);
}

/* The driver's kernels, for f32 and f64: cubins that hold the entry points. */
static void compile_vectors(char *text)
{
    for (int i = 0; i < 4; i++) {
        const size_t real = i % 2 ? 4 : 8;
        char *source = i < 2 ? lrnde__cuda_vectors(real) : lrnde__cuda_normals(real);
        lrnde__cuda_program p = program;
        lrnde__cuda_image image;
        p.name = "lrnde", p.text = source;
        if (lrnde__cuda_compile(&p, 1, &image, text, WORLD_TEXT)) exit(0);
        MUST(is_elf(&image));
        MUST(i < 2 ? memmem(image.bytes, image.size, "lrnde_add", 10) && memmem(image.bytes, image.size, "lrnde_sums", 11)
                   : memmem(image.bytes, image.size, "lrnde_normals", 14) != NULL);
        free(image.bytes);
        free(source);
    }
}

static void compile_mistake(char *text)
{
    lrnde__cuda_program p = program;
    lrnde__cuda_image image;
    p.text = "extern \"C\" __global__ void f(float *x)\n{\n    *x = nowhere;\n}\n";
    MUST(lrnde__cuda_compile(&p, 1, &image, text, WORLD_TEXT));
}

static void with_real_compiler(void **state)
{
    (void)state;
    char why[512];
    static const int capabilities[] = {80, 90, 100};
    static char setting[512];
    if (!real_compiler) {
        print_message("skipped: no NVRTC here\n");
        skip();
    }
    snprintf(setting, sizeof setting, "LRNDE_NVRTC=%s", real_compiler);
    const char *const settings[] = {setting, NULL};
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        program.capability = capabilities[i];
        snprintf(why, sizeof why, "%s", world_run(compile_vectors, settings));
        if (*why && !strstr(why, "compute capability")) fail_msg("%s", why);
        if (*why) print_message("%s\n", why);
    }
    program.capability = CAPABILITY;
    assert_contains(world_run(compile_mistake, settings), "toy.cu(3): error: identifier \"nowhere\" is undefined: *x = nowhere;");
}

/* The compiler that would be used without the fake. */
static char *find_real(void)
{
    char why[256], *fake = strdup(getenv("LRNDE_NVRTC")), *found;
    unsetenv("LRNDE_NVRTC");
    found = lrnde__nvrtc_find(DRIVER, why, sizeof why);
    setenv("LRNDE_NVRTC", fake, 1);
    free(fake);
    return found;
}

int main(int argc, char **argv)
{
    (void)argc;
    world_enter(argv);
    real_compiler = find_real();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hit, forget),
        cmocka_unit_test_setup(damage, forget),
        cmocka_unit_test_setup(processes, forget),
        cmocka_unit_test_setup(unusable_folder, forget),
        cmocka_unit_test_setup(other_devices, forget),
        cmocka_unit_test_setup(several, forget),
        cmocka_unit_test_setup(with_real_compiler, forget),
    };
    int failed = cmocka_run_group_tests(tests, NULL, world_remove);
    free(real_compiler);
    return failed;
}
