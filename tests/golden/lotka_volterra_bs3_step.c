/* ---- step: 77 flop, 4 loads, 8 stores a sample; 3 right-hand sides ---- */

static void lotka_volterra_step_f64_tile(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    const real *restrict params = (const real *)a->params; /* (4) */
    const double h = a->s.h;
    const double h_a2_1 = h * 0x1p-1; /* 1/2 */
    const double v12 = (double)params[0];
    const double v14 = (double)params[1];
    const double v18 = (double)params[2];
    const double v19 = -v18;
    const double v21 = (double)params[3];
    const double h_a3_2 = h * 0x1.8p-1; /* 3/4 */
    const double h_a4_1 = h * 0x1.c71c71c71c71cp-3; /* 2/9 */
    const double h_a4_2 = h * 0x1.5555555555555p-2; /* 1/3 */
    const double h_a4_3 = h * 0x1.c71c71c71c71cp-2; /* 4/9 */
    const double h_e1_1 = h * (-0x1.1c71c71c71c72p-4); /* -5/72 */
    const double h_e1_2 = h * 0x1.5555555555555p-4; /* 1/12 */
    const double h_e1_3 = h * 0x1.c71c71c71c71cp-4; /* 1/9 */
    const double h_e1_4 = h * (-0x1p-3); /* -1/8 */
    const double atol = a->s.atol;
    const double rtol = a->s.rtol;
    (void)worker;
    for (int32_t tile = tile0; tile < tile1; tile++) {
        const int lanes = tile == a->tiles - 1 ? a->batch - tile * T : T;
        double *sums = a->sums + (size_t)tile * 1;
        for (int q = 0; q < 1; q++) sums[q] = 0;
        const real *restrict k1_u = (const real *)a->carry[1] + (size_t)tile * (2 * T); /* (2, T) */
        const real *restrict u = (const real *)a->carry[0] + (size_t)tile * (2 * T); /* (2, T) */
        real *restrict u1 = (real *)a->next[0] + (size_t)tile * (2 * T); /* (2, T) */
        real *restrict k4_u = (real *)a->next[1] + (size_t)tile * (2 * T); /* (2, T) */
        real *restrict k2 = (real *)a->k[0] + (size_t)tile * (2 * T); /* (2, T) */
        real *restrict k3 = (real *)a->k[1] + (size_t)tile * (2 * T); /* (2, T) */
        {
            double b84[T];
            LRNDE_LANES for (int l = 0; l < T; l++) {
                /* z2 = u + h (1/2 k1) */
                const real z2_0 = lrnde_fma_f64(h_a2_1, k1_u[l], u[l]);
                const real z2_1 = lrnde_fma_f64(h_a2_1, k1_u[T + l], u[T + l]);
                const real v13 = v12 * z2_0;
                const real v15 = v14 * z2_0;
                const real v16 = -v15;
                /* k2 = f(t + 1/2 h, z2) */
                const real k2_0 = lrnde_fma_f64(v16, z2_1, v13);
                k2[l] = k2_0;
                const real v20 = v19 * z2_1;
                const real v22 = v21 * z2_0;
                const real k2_1 = lrnde_fma_f64(v22, z2_1, v20);
                k2[T + l] = k2_1;
                /* z3 = u + h (3/4 k2) */
                const real z3_0 = lrnde_fma_f64(h_a3_2, k2_0, u[l]);
                const real z3_1 = lrnde_fma_f64(h_a3_2, k2_1, u[T + l]);
                const real v28 = v12 * z3_0;
                const real v29 = v14 * z3_0;
                const real v30 = -v29;
                /* k3 = f(t + 3/4 h, z3) */
                const real k3_0 = lrnde_fma_f64(v30, z3_1, v28);
                k3[l] = k3_0;
                const real v32 = v19 * z3_1;
                const real v33 = v21 * z3_0;
                const real k3_1 = lrnde_fma_f64(v33, z3_1, v32);
                k3[T + l] = k3_1;
                const real v37 = lrnde_fma_f64(h_a4_1, k1_u[l], u[l]);
                const real v38 = lrnde_fma_f64(h_a4_1, k1_u[T + l], u[T + l]);
                const real v41 = lrnde_fma_f64(h_a4_2, k2_0, v37);
                const real v42 = lrnde_fma_f64(h_a4_2, k2_1, v38);
                /* u1 = u + h (2/9 k1 + 1/3 k2 + 4/9 k3) */
                const real u1_0 = lrnde_fma_f64(h_a4_3, k3_0, v41);
                u1[l] = u1_0;
                const real u1_1 = lrnde_fma_f64(h_a4_3, k3_1, v42);
                u1[T + l] = u1_1;
                const real v47 = v12 * u1_0;
                const real v48 = v14 * u1_0;
                const real v49 = -v48;
                /* k4 = f(t + h, u1) */
                const real k4_0 = lrnde_fma_f64(v49, u1_1, v47);
                k4_u[l] = k4_0;
                const real v51 = v19 * u1_1;
                const real v52 = v21 * u1_0;
                const real k4_1 = lrnde_fma_f64(v52, u1_1, v51);
                k4_u[T + l] = k4_1;
                const real v56 = h_e1_1 * k1_u[l];
                const real v57 = h_e1_1 * k1_u[T + l];
                const real v60 = lrnde_fma_f64(h_e1_2, k2_0, v56);
                const real v61 = lrnde_fma_f64(h_e1_2, k2_1, v57);
                const real v64 = lrnde_fma_f64(h_e1_3, k3_0, v60);
                const real v65 = lrnde_fma_f64(h_e1_3, k3_1, v61);
                /* err = h (-5/72 k1 + 1/12 k2 + 1/9 k3 - 1/8 k4) */
                const real err_0 = lrnde_fma_f64(h_e1_4, k4_0, v64);
                const real err_1 = lrnde_fma_f64(h_e1_4, k4_1, v65);
                const real v70 = lrnde_abs_f64(u[l]);
                const real v71 = lrnde_abs_f64(u[T + l]);
                const real v72 = lrnde_abs_f64(u1_0);
                const real v73 = lrnde_abs_f64(u1_1);
                const real v74 = (v70 >= v72 ? v70 : v72);
                const real v75 = (v71 >= v73 ? v71 : v73);
                const real v78 = lrnde_fma_f64(v74, rtol, atol);
                const real v79 = lrnde_fma_f64(v75, rtol, atol);
                const real v80 = err_0 / v78;
                const real v81 = err_1 / v79;
                const real v82 = v80 * v80;
                const real v83 = lrnde_fma_f64(v81, v81, v82);
                b84[l] = (double)v83;
            }
            sums[0] += lrnde_lane_sum_f64(b84, lanes);
        }
    }
}

