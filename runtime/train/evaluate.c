/* evaluate.c - see evaluate.h. */
#include "train/evaluate.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double lrnde__seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

lrnde_status lrnde__evaluate(lrnde__feed *f, int64_t trajectories, lrnde__evaluation *result, lrnde_error *e)
{
    const lrnde_model_desc *model = f->data->model;
    double share = 1 / (double)f->batches;
    if (trajectories == 0) trajectories = 1;
    double *seconds = malloc((size_t)f->batches * sizeof *seconds);
    lrnde_status status = seconds ? LRNDE_OK : lrnde__io_fail(e, LRNDE_ERR_MEMORY, "out of memory");
    *result = (lrnde__evaluation){.samples = f->batches * f->batch, .trajectories = trajectories};
    for (int64_t b = 0; b < f->batches && !status; b++) {
        lrnde_report r;
        if ((status = lrnde__feed_batch(f, b, e))) break;
        double start = lrnde__seconds(), path = (double)b * (double)trajectories;
        if (model->forward->n_noise) status = lrnde_set(f->solver, "path", &path, sizeof path);
        if (!status) status = lrnde_ensemble(f->solver, trajectories, &r);
        if (status) {
            *e = *lrnde_last_error(f->solver);
            break;
        }
        seconds[b] = lrnde__seconds() - start;
        result->loss += share * r.loss;
        result->nfe += share * (double)r.forward.nfe / (double)trajectories;
        for (int32_t i = 0; i < model->n_metrics; i++) result->metrics[i] += share * r.metrics[i];
    }
    if (!status) {
        qsort(seconds, (size_t)f->batches, sizeof *seconds, ascending);
        result->predict_s = seconds[f->batches / 2];
    }
    free(seconds);
    return status;
}

void lrnde__evaluation_json(const lrnde__evaluation *r, const lrnde_model_desc *model, lrnde__json *j)
{
    char key[64];
    lrnde__json_number(j, "test_loss", r->loss);
    for (int32_t i = 0; i < model->n_metrics; i++) {
        snprintf(key, sizeof key, "test_%s", model->metrics[i].name);
        lrnde__json_number(j, key, r->metrics[i]);
    }
    lrnde__json_number(j, "test_nfe", r->nfe);
    if (model->forward->n_noise) lrnde__json_integer(j, "test_trajectories", r->trajectories);
    lrnde__json_number(j, "predict_s", r->predict_s);
}

double lrnde__evaluation_score(const lrnde__evaluation *r, const lrnde_model_desc *model)
{
    for (int32_t i = 0; i < model->n_metrics; i++)
        if (!strcmp(model->metrics[i].name, "accuracy")) return r->metrics[i];
    return -r->loss;
}
