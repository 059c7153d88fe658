/*
 * Matrix products of layers, and sums of outer products.
 *
 * Both are made of chains: sums of some rows, of two vectors of elements each, that stay in registers while terms go by.  A term
 * is an element of a matrix, wherever it lies, times a vector of what lies in memory as registers want it.  Of a product that is
 * lanes, so that nothing is packed, on which a matrix library spends a tenth of its time at these sizes; of an outer product,
 * features, which are turned for it.
 *
 * A chain is of fma over so many terms, and chains are added: rounding is what the error estimate of a step at a tight tolerance
 * in f32 sees, and one chain of 784 terms costs mnist_node's first solve 243 evaluations where these cost it 171.
 */
enum { LRNDE_TERMS = 32 };
#ifdef __AVX512F__
enum { LRNDE_VECTOR = 64, LRNDE_ROWS = 12 }; /* bytes of a vector; rows of two vectors: 24 of 32 registers, below 12 of 16 */
#elif defined __AVX__
enum { LRNDE_VECTOR = 32, LRNDE_ROWS = 6 };
#else
enum { LRNDE_VECTOR = 16, LRNDE_ROWS = 6 };
#endif
/* Outer products that meet a block of their sum, so that what is turned of them fits a core's first cache; rows of features that
 * are fetched into the second one while a chain goes by; bytes of a line of either. */
enum { LRNDE_TOGETHER = 8, LRNDE_FETCHED = 4, LRNDE_LINE = 64 };
#if defined __AVX512F__ && !defined __clang__
#define LRNDE_WIDEST __attribute__((target("prefer-vector-width=512"))) /* where a compiler would rather use half */
#else
#define LRNDE_WIDEST
#endif
/* Where p points is no longer known.  Elements of a matrix less than 16 KiB apart are vector loads and permutations to gcc, and
 * on Intel's processors the unit that permutes is one of the two that add. */
#define LRNDE_HIDE(p) __asm__("" : "+r"(p))
/* Built for a processor without fma, a program leaves the one it runs on idle; a library looks at run time.  Elements of a
 * matrix from which its call is worth it. */
enum { LRNDE_LIBRARY = 4096 };
#define LRNDE_LEAST(x, y)        ((x) < (y) ? (x) : (y))
#define LRNDE_VECTORS(suffix, p) ((lrnde_vector_##suffix *)(p))
/* z: elements of the first halves of a and b, or of the second ones, by turns. */
#ifdef __clang__
#define LRNDE_ZIP(z, a, b, half, elements)                                                                                       \
    for (int l = 0; l < elements; l++) z[l] = l % 2 ? b[(half * elements + l) / 2] : a[(half * elements + l) / 2]
#else
#define LRNDE_ZIP(z, a, b, half, elements)                                                                                       \
    do {                                                                                                                         \
        __typeof__(a < b) from;                                                                                                  \
        for (int l = 0; l < elements; l++) from[l] = (half * elements + l) / 2 + l % 2 * elements;                               \
        z = __builtin_shuffle(a, b, from);                                                                                       \
    } while (0)
#endif

/*
 * A chain for `count` rows of 1 or 2 vectors: y = start + W x, or y + that if `more`; start NULL: zeros.  Element (i, j) of W is
 * w[i * si + j * sj], so that a transpose needs no other function; rows of x lie tx apart, those of y ty.
 */
#define LRNDE_DEFINE_CHAIN(suffix, number, count)                                                                                 \
    LRNDE_INLINE static void lrnde_chain_##count##_##suffix(int terms, int vectors, const number *restrict w, int si, int sj,     \
                                                            const number *restrict x, int tx, const number *restrict start,       \
                                                            int more, number *restrict y, int ty)                                 \
    {                                                                                                                             \
        lrnde_vector_##suffix s[count][2];                                                                                        \
        for (int r = 0; r < count; r++)                                                                                           \
            for (int v = 0; v < vectors; v++) s[r][v] = (start ? start[r] : 0) - (lrnde_vector_##suffix){0};                      \
        for (int j = 0; j < terms; j++) {                                                                                         \
            const lrnde_vector_##suffix *at = LRNDE_VECTORS(suffix, x + j * tx);                                                  \
            _Pragma("GCC unroll 16") for (int r = 0; r < count; r++)                                                              \
            {                                                                                                                     \
                const number *element = w + r * si + j * sj;                                                                      \
                LRNDE_HIDE(element);                                                                                              \
                for (int v = 0; v < vectors; v++) s[r][v] = lrnde_vector_fma_##suffix(*element, at[v], s[r][v]);                  \
            }                                                                                                                     \
        }                                                                                                                         \
        for (int r = 0; r < count; r++)                                                                                           \
            for (int v = 0; v < vectors; v++) {                                                                                   \
                lrnde_vector_##suffix *to = LRNDE_VECTORS(suffix, y + r * ty) + v;                                                \
                if (more) s[r][v] += *to;                                                                                         \
                *to = s[r][v];                                                                                                    \
            }                                                                                                                     \
    }                                                                                                                             \
    LRNDE_INLINE static void lrnde_product_##count##_##suffix(int n, const number *restrict w, int si, int sj,                    \
                                                              const number *restrict x, const number *restrict start,             \
                                                              number *restrict y)                                                 \
    {                                                                                                                             \
        for (int j = 0; j < n; j += LRNDE_TERMS)                                                                                  \
            lrnde_chain_##count##_##suffix(LRNDE_LEAST(n - j, LRNDE_TERMS), LRNDE_ABREAST_##suffix, w + j * sj, si, sj,           \
                                           x + j * T, T, j > 0 ? NULL : start, j > 0, y, T);                                      \
    }                                                                                                                             \
    /* Rows of a block of w, from y at `at` and features as lrnde_turn leaves them, fewer at the edge of w.  Those of x at      \
     * `soon` are turned next and fetched on the way, unless that is below 0. */ \
    LRNDE_INLINE static void lrnde_outers_##count##_##suffix(int terms, int products, const number *const *y, int at,             \
                                                             const number *restrict turned, int features,                         \
                                                             const number *const *x, int soon, number *restrict w, int n)         \
    {                                                                                                                             \
        enum { APART = LRNDE_FEATURES_##suffix };                                                                                 \
        number edge[count * APART];                                                                                               \
        const int whole = features == APART, apart = whole ? n : APART;                                                           \
        number *to = whole ? w : edge;                                                                                            \
        for (int r = 0; whole && r < count; r++)                                                                                  \
            for (int v = 0; v < 2; v++) __builtin_prefetch(w + r * n + v * LRNDE_ELEMENTS_##suffix, 1);                           \
        for (int p = 0; p < products; p++, turned += LRNDE_TERMS * APART) {                                                       \
            for (int e = 0; soon >= 0 && e < LRNDE_FETCHED * T; e += LRNDE_LINE / (int)sizeof(number))                            \
                __builtin_prefetch(x[p] + soon + e, 0, 2);                                                                        \
            if (features > LRNDE_ELEMENTS_##suffix || count < LRNDE_ROWS)                                                         \
                lrnde_chain_##count##_##suffix(terms, 2, y[p] + at, T, 1, turned, APART, NULL, whole || p > 0, to, apart);        \
            else                                                                                                                  \
                lrnde_chain_##count##_##suffix(terms, 1, y[p] + at, T, 1, turned, APART, NULL, p > 0, edge, APART);               \
        }                                                                                                                         \
        for (int r = 0; !whole && r < count; r++)                                                                                 \
            for (int c = 0; c < features; c++) w[r * n + c] += edge[r * APART + c];                                               \
    }

/* The first of some features of the block behind that of `features` from j on, `share` into it; below 0: there is none. */
LRNDE_INLINE static int lrnde_soon(int share, int j, int n, int features)
{
    return share < features && j + features + share < n ? j + features + share : -1;
}

/* Rows i of m, by functions for so many. */
#define LRNDE_ROW_BLOCKS(what, suffix, arguments)                                                                                \
    for (; i + LRNDE_ROWS <= m; i += LRNDE_ROWS) lrnde_##what##_LRNDE_ROWS_##suffix arguments;                                   \
    for (; i + 4 <= m; i += 4) lrnde_##what##_4_##suffix arguments;                                                              \
    for (; i + 2 <= m; i += 2) lrnde_##what##_2_##suffix arguments;                                                              \
    for (; i < m; i++) lrnde_##what##_1_##suffix arguments;

#define LRNDE_DEFINE_PRODUCTS(suffix, number)                                                                                     \
    enum {                                                                                                                        \
        LRNDE_ELEMENTS_##suffix = LRNDE_LEAST(T, LRNDE_VECTOR / (int)sizeof(number)), /* of a vector */                           \
        LRNDE_ABREAST_##suffix = LRNDE_LEAST(T / LRNDE_ELEMENTS_##suffix, 2),         /* vectors of lanes in registers */         \
        LRNDE_FEATURES_##suffix = 2 * LRNDE_ELEMENTS_##suffix                         /* features in registers */                 \
    };                                                                                                                            \
    typedef number lrnde_vector_##suffix                                                                                          \
        __attribute__((vector_size(LRNDE_ELEMENTS_##suffix * sizeof(number)), aligned(sizeof(number)), may_alias));               \
    LRNDE_INLINE static lrnde_vector_##suffix lrnde_vector_fma_##suffix(number a, lrnde_vector_##suffix x,                        \
                                                                        lrnde_vector_##suffix s)                                  \
    {                                                                                                                             \
        for (int l = 0; l < LRNDE_ELEMENTS_##suffix; l++) s[l] = lrnde_fma_##suffix(a, x[l], s[l]);                               \
        return s;                                                                                                                 \
    }                                                                                                                             \
    /* y (m, T): start in every lane */                                                                                           \
    LRNDE_UNUSED static void lrnde_rows_##suffix(int m, const number *restrict start, number *restrict y)                         \
    {                                                                                                                             \
        for (int i = 0; i < m; i++)                                                                                               \
            for (int l = 0; l < T; l++) y[i * T + l] = start[i];                                                                  \
    }                                                                                                                             \
    LRNDE_DEFINE_CHAIN(suffix, number, LRNDE_ROWS)                                                                                \
    LRNDE_DEFINE_CHAIN(suffix, number, 4)                                                                                         \
    LRNDE_DEFINE_CHAIN(suffix, number, 2)                                                                                         \
    LRNDE_DEFINE_CHAIN(suffix, number, 1)                                                                                         \
    /* y (m, T) = start + W x; start NULL: zeros; x (n, T).  Each shape of a model has a function of its own that calls this:   \
     * strides are constants there and take no registers. */ \
    LRNDE_INLINE static void lrnde_product_##suffix(int m, int n, const number *restrict w, int si, int sj,                       \
                                                    const number *restrict x, const number *restrict start, number *restrict y)   \
    {                                                                                                                             \
        if (!LRNDE_FMA_##suffix && m * n >= LRNDE_LIBRARY) {                                                                      \
            if (start) lrnde_rows_##suffix(m, start, y);                                                                          \
            lrnde_gemm_##suffix(sj != 1, 0, m, T, n, w, sj != 1 ? sj : si, x, T, (number)(start != NULL), y, T);                  \
            return;                                                                                                               \
        }                                                                                                                         \
        for (int l = 0; l < T; l += LRNDE_ELEMENTS_##suffix * LRNDE_ABREAST_##suffix) {                                           \
            int i = 0;                                                                                                            \
            LRNDE_ROW_BLOCKS(product, suffix, (n, w + i * si, si, sj, x + l, start ? start + i : NULL, y + i * T + l))            \
        }                                                                                                                         \
    }                                                                                                                             \
    /* Rows of features become rows of lanes, LRNDE_FEATURES apart, with zeros behind the last feature. */                        \
    LRNDE_INLINE static void lrnde_turn_##suffix(int features, const number *restrict x, number *restrict to)                     \
    {                                                                                                                             \
        enum { ELEMENTS = LRNDE_ELEMENTS_##suffix };                                                                              \
        for (int l = 0; l < T && l < LRNDE_TERMS; l += ELEMENTS)                                                                  \
            for (int f = 0; f < LRNDE_FEATURES_##suffix; f += ELEMENTS) {                                                         \
                lrnde_vector_##suffix v[ELEMENTS], z[ELEMENTS];                                                                   \
                for (int i = 0; i < ELEMENTS; i++)                                                                                \
                    v[i] = f + i < features ? *LRNDE_VECTORS(suffix, x + (f + i) * T + l) : (lrnde_vector_##suffix){0};           \
                _Pragma("GCC unroll 4") for (int k = 1; k < ELEMENTS; k *= 2)                                                     \
                {                                                                                                                 \
                    _Pragma("GCC unroll 8") for (int i = 0; i < ELEMENTS / 2; i++)                                                \
                    {                                                                                                             \
                        LRNDE_ZIP(z[2 * i], v[i], v[i + ELEMENTS / 2], 0, ELEMENTS);                                              \
                        LRNDE_ZIP(z[2 * i + 1], v[i], v[i + ELEMENTS / 2], 1, ELEMENTS);                                          \
                    }                                                                                                             \
                    _Pragma("GCC unroll 16") for (int i = 0; i < ELEMENTS; i++) v[i] = z[i];                                      \
                }                                                                                                                 \
                for (int i = 0; i < ELEMENTS; i++) *LRNDE_VECTORS(suffix, to + (l + i) * LRNDE_FEATURES_##suffix + f) = v[i];     \
            }                                                                                                                     \
    }                                                                                                                             \
    /* w (m, n) += the sum of so many y x^T over the first lanes; y (m, T), x (n, T).  A block of w is visited once for all. */   \
    LRNDE_WIDEST LRNDE_ONCE static void lrnde_outers_##suffix(int m, int n, int products, const number *const *y,                 \
                                                              const number *const *x, int lanes, number *restrict w)              \
    {                                                                                                                             \
        enum { SIZE = LRNDE_TERMS * LRNDE_FEATURES_##suffix };                                                                    \
        _Alignas(LRNDE_VECTOR) number turned[LRNDE_TOGETHER * SIZE];                                                              \
        if (!LRNDE_FMA_##suffix && m * n >= LRNDE_LIBRARY) {                                                                      \
            for (int p = 0; p < products; p++) lrnde_gemm_##suffix(0, 1, m, n, lanes, y[p], T, x[p], T, 1, w, n);                 \
            return;                                                                                                               \
        }                                                                                                                         \
        for (int l = 0; l < lanes; l += LRNDE_TERMS)                                                                              \
            for (int p = 0; p < products; p += LRNDE_TOGETHER)                                                                    \
                for (int j = 0; j < n; j += LRNDE_FEATURES_##suffix) {                                                            \
                    const int together = LRNDE_LEAST(products - p, LRNDE_TOGETHER), terms = LRNDE_LEAST(lanes - l, LRNDE_TERMS);  \
                    const int features = LRNDE_LEAST(n - j, LRNDE_FEATURES_##suffix);                                             \
                    for (int q = 0; q < together; q++) lrnde_turn_##suffix(features, x[p + q] + j * T + l, turned + q * SIZE);    \
                    int i = 0;                                                                                                    \
                    LRNDE_ROW_BLOCKS(outers, suffix,                                                                              \
                                     (terms, together, y + p, i * T + l, turned, features, x + p,                                 \
                                      lrnde_soon(i / LRNDE_ROWS * LRNDE_FETCHED, j, n, features) * T, w + i * n + j, n))          \
                }                                                                                                                 \
    }
LRNDE_DEFINE_PRODUCTS(f32, float)
LRNDE_DEFINE_PRODUCTS(f64, double)
