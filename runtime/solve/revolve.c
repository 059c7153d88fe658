/*
 * revolve.c - see revolve.h.
 *
 * Of n steps and c checkpoints the first m steps are reversed last, when all c are free again, the others with c - 1:
 *
 *   t(n, c) = min over m of  m + t(m, c) + t(n - m, c - 1)
 *
 * The minimum is where neither part needs more repetitions than its share: r - 1 on the left, r on the right.
 *
 * Not knowing n, a new checkpoint has level 0.  One that has a later one of a higher level is not needed any more and makes
 * room; if there is none, the latest does, and the new one inherits its level and one more: so levels fall from the start to
 * the end, and distances with them, as those of the optimum do.
 */
#include "solve/revolve.h"

#include <string.h>

/* C(c + r, c), none for r < 0.  What a schedule asks for stays below n (c + n), so it fits for n, c < 2^31. */
static int64_t binomial(int64_t c, int64_t r)
{
    int64_t product = r < 0 ? 0 : 1;
    for (int64_t i = 1; i <= r; i++) product = product * (c + i) / i;
    return product;
}

/* The least r with C(c + r, c) >= n. */
static int64_t repetitions(int64_t n, int64_t c)
{
    int64_t r = 0;
    for (int64_t product = 1; product < n; product = product * (c + r) / r) r++;
    return r;
}

int64_t lrnde__revolve_count(int64_t n, int64_t c)
{
    int64_t r = repetitions(n, c);
    return r * n - binomial(c + 1, r - 1);
}

int64_t lrnde__revolve_split(int64_t n, int64_t c)
{
    if (c < 2 || n < 2) return n;
    int64_t r = repetitions(n, c), least = r < 2 ? 1 : binomial(c, r - 2), rest = n - binomial(c - 1, r);
    return rest > least ? rest : least;
}

int64_t lrnde__revolve_replace(lrnde__mark *mark, int64_t c, int64_t n)
{
    int64_t out = c - 1;
    int32_t highest = mark[out].level, level = highest + 1;
    for (int64_t i = c - 2; i > 0; i--) {
        if (mark[i].level < highest) {
            out = i;
            level = 0;
            break;
        }
        highest = mark[i].level;
    }
    int64_t gone = mark[out].n;
    memmove(&mark[out], &mark[out + 1], (size_t)(c - 1 - out) * sizeof *mark);
    mark[c - 1] = (lrnde__mark){n, level};
    return gone;
}
