/*
 * test_cuda_mistakes.c - what the suites of emitted CUDA text on this CPU (cuda_launch.h) would notice: mistakes are put into the
 * text, a barrier left out, a loop too long, and each must be caught.
 */
#include "cuda_launch.h"

#include <signal.h>
#include <sys/wait.h>

/* In the text of a model, with a setting or NULL: what is replaced everywhere, and by what. */
typedef struct mistake {
    const char *what, *file, *setting, *from, *to;
} mistake;

#define WIDE      "tests/models/wide.lua", NULL
#define WIDE_BACK "tests/models/wide.lua", "sensitivity=interpolating"
#define MIXED     "tests/models/mixed.lua", NULL

static const mistake MISTAKES[] = {
    {"nothing", WIDE, "lrnde_meet();", "lrnde_meet();"},
    {"no barriers between loops", WIDE, "if (TEAM > 1) __syncthreads();", ""},
    {"a barrier that a warp misses", WIDE, "if (TEAM > 1) __syncthreads();", "if (threadIdx.x / T != 3) __syncthreads();"},
    {"no barrier before a sum is read", WIDE, "__syncthreads();\n    x = shared", "x = shared"},
    {"no barrier after a sum was read", WIDE, "__syncthreads();\n    return x;", "return x;"},
    {"a row too many", WIDE, "i < 72;", "i <= 72;"},
    {"a tile too many", WIDE, "tile < end;", "tile <= end;"},
    {"a tile too many", MIXED, "tile < end;", "tile <= end;"},
    {"a sample too many", MIXED, "l < a->batch", "l <= a->batch"},
    {"all lanes add", MIXED, "if (l == 0) ", ""},
    {"a lane exchanges with the wrong one", MIXED, "given, half)", "given, half ^ 1)"},
    {"a lane exchanges with others' lanes", WIDE, "lrnde_lanes(), x, half)", "lrnde_lanes(), x, 2 * half)"},
    {"no barrier before a panel is read", WIDE, "__syncthreads(); /* all of", "; /* all of"},
    {"a panel read before it is there", WIDE, "lrnde_fetched<STAGES - 2>", "lrnde_fetched<STAGES - 1>"},
    {"a panel too few", WIDE, "j0 < n; j0 += TERM_PANEL", "j0 + TERM_PANEL < n; j0 += TERM_PANEL"},
    {"a row of a panel too many", WIDE, "i + r < m &&", "i + r <= m &&"},
    {"a result beyond the rows", WIDE, "part > 0 || i >= m", "part > 0 || i > m"},
    {"no tensor cores", WIDE, "lrnde_m16n8k8(eight, a, b);", ""},
    {"what tf32 leaves of weights left out", WIDE, "lrnde_m16n8k8(eight, a_rest, b);", ""},
    {"what tf32 leaves of x left out", WIDE, "lrnde_m16n8k8(eight, a, b_rest);", ""},
    {"another term's x", WIDE, "place<SAMPLES>(term + 4, c", "place<SAMPLES>(term ^ 5, c"},
    {"parts of a sum left out", WIDE, "half = SPLIT / 2", "half = SPLIT / 4"},
    {"samples that are none counted", WIDE, "valid && i0 + i < n", "i0 + i < n"},
    {"gradients of other tiles overwritten", WIDE_BACK, "valid, tile == begin)", "valid, true)"},
    {"a lane returns early", MIXED, "const int l = (int)threadIdx.x % T;",
     "const int l = (int)threadIdx.x % T;\n    if (l > 30) return;"},
};

/* Whether the kernels that are loaded go wrong under a schedule: a process of their own says so, or dies. */
static bool goes_wrong(const variant *v, const lrnde_model_desc *m, const char *order)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        assert_non_null(freopen("/dev/null", "w", stderr));
        signal(SIGSEGV, SIG_DFL); /* not the harness's: it would go on with the next test */
        setenv("SIM_ORDER", order, 1);
        comparison c = {.what = v, .driver = &SIM, .eps = eps_of(m), .batch = lrnde_text_for(m, &SIM)->tile + 3};
        check_batch(&c, m);
        _exit(c.failures > 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status != 0;
}

static void mistakes_are_caught(void **state)
{
    (void)state;
    int missed = 0;
    for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++) {
        const mistake *x = &MISTAKES[i];
        const variant v = {x->file, NULL, {x->setting}};
        const lrnde_model_desc *m;
        build_variant(&v, NULL, &TOOL, &m);
        char *text = replaced(lrnde_text_for(m, &SIM)->text, x->from, x->to);
        load_text(text, "-O0");
        free(text);
        int by = 0;
        while (by < N_ORDERS && !goes_wrong(&v, m, ORDERS[by])) by++;
        print_message("           %-36s %s\n", x->what, by < N_ORDERS ? ORDERS[by] : "-");
        missed += (by == N_ORDERS) != !strcmp(x->what, "nothing");
    }
    if (missed) fail_msg("%d mistakes were missed, or nothing was taken for one", missed);
}

int main(int argc, char **argv)
{
    sim_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_caught),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
