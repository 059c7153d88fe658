@local s = p.adjoint
@local tab, system, step = s.tab, s.system, s.kernels.step
@local function carry_of(x) return #x.stepper.carry_components(x.system, x.tab) end
@local function stages_of(x) return #x.stepper.interior(x.tab) + x.tab.dense.extra end
@local carried = tab.fsal and 1 or 0
@local entries = { sample = 0, shared = 0 }
@for i = 1, system.controlled do entries[system.components[i].kind] = entries[system.components[i].kind] + system.components[i].size end
@local rule = s.kernels.integrand and not system.rule.differences and system.rule
@local chunk = require "header".constant "LRNDE_CHUNK"
@local function quotient(n) return (n + chunk - 1) // chunk end
@local function list(numbers) return table.concat(numbers, ", ") end
@local times, stage = {}, {}                                     -- those of the states, and at which stages they are
@for i = carried, system.external and tab.stages - 1 or -1 do
@  local c = backend.double(tab.c[i + 1])
@  if not times[c] then
@    times[c], times[#times + 1], stage[#stage + 1] = true, c, i
@  end
@end
@local sums, chunks = #tab.err, step.parts.shared and quotient(step.parts.shared) or 0
/* ---- adjoint_run: the same on the way back; what meets over the batch does so in every step ---- */

@if system.external then
/* The forward solution at t, of the tiles of this block; n: the step of the path that was asked for last. */
static __device__ __forceinline__ void @(m.name)_path_at(const lrnde_course *course, const lrnde_args *a, double t, int32_t *n, void *const *u)
{
    while (*n + 1 < course->path && (course->path_t[*n + 1] - t) * course->path_h[*n] <= 0) ++*n;
    while (*n > 0 && (course->path_t[*n] - t) * course->path_h[*n] > 0) --*n;
    lrnde_args b = *a;
    b.s.t = course->path_t[*n], b.s.h = course->path_h[*n], b.s.theta = (t - b.s.t) / b.s.h;
    b.carry = (const void *const *)(course->path_carry + *n * @(carry_of(p.forward)));
    b.next_in = b.carry + @(carry_of(p.forward)), b.k_in = (const void *const *)(course->path_k + *n * @(stages_of(p.forward))), b.out = u;
    @(p.forward.kernels.dense.symbol)(&b);
}

@end
/* n partial sums of this block's workers. */
static __device__ void @(m.name)_clear(const lrnde_args *a, int at, int n)
{
    for (int32_t worker = blockIdx.x; worker < a->workers; worker += gridDim.x)
        for (int i = threadIdx.x; i < n; i += blockDim.x) ((real *)a->partial)[(size_t)worker * a->partial_stride + at + i] = 0;
    __syncthreads();
}

#if !defined LRNDE_ONLY || defined LRNDE_ONLY_@(m.name)_adjoint_run_@(m.precision)
extern "C" __global__ void __launch_bounds__(T * TEAM, 1) @(m.name)_adjoint_run_@(m.precision)(const lrnde_args args, lrnde_course *course)
{
    const lrnde_controller controller = @(controller);
    const bool first = blockIdx.x == 0 && threadIdx.x == 0;
    lrnde_args a = args;
    lrnde_progress at = lrnde_begin(course);
@if system.external then
    int32_t n = course->path - 1;
@end
    while (lrnde_goes_on(course, &at)) {
        double sums[@(sums)];
        lrnde_try(course, &at, &a, @(carry_of(s)), @(stages_of(s)));
        if ((at.t + at.h - course->reach) * at.h > 0) break;
@if system.external then
        const double c[] = {@(list(times))};
        const int stage[] = {@(list(stage))};
#pragma unroll 1
        for (int i = 0; i < @(#times); i++)
            @(m.name)_path_at(course, &a, at.t + c[i] * at.h, &n, (void *const *)a.external + stage[i]);
@end
@if step.parts.shared then
@  for _, range in ipairs(step.parts.cleared) do
        @(m.name)_clear(&a, @(list(range)));
@  end
@end
        @(step.symbol)(&a);
        lrnde_grid_meet(&course->met);
@if step.parts.shared then
        @(step.symbol)_share(&a);
        lrnde_grid_meet(&course->met);
@end
        lrnde_row_sums(sums, a.sums, a.tiles + @(chunks), a.tiles + @(chunks), @(sums));
        lrnde_decide(&controller, course, &at, @(s.finish)(sums, (double)a.batch * @(entries.sample) + @(entries.shared)), sums, @(sums), first);
@if rule then
@  local nodes, weights, integrand = {}, {}, s.kernels.integrand
@  for i, node in ipairs(rule.nodes) do nodes[i], weights[i] = backend.double(node), backend.double(rule.weights[i]) end
        const double nodes[] = {@(list(nodes))}, weights[] = {@(list(weights))};
#pragma unroll 1
        for (int i = 0; at.took && i < @(#nodes); i++) {
            lrnde_args b = a;
            b.next_in = (const void *const *)a.next, b.k_in = (const void *const *)a.k, b.s.theta = nodes[i], b.out = &course->lambda;
            @(s.kernels.dense.symbol)(&b);
            b.s.t = a.s.t + nodes[i] * a.s.h, b.s.weight = -a.s.h * weights[i], b.s.difference = 0;
            @(m.name)_path_at(course, &a, b.s.t, &n, &course->u);
            b.carry = (const void *const *)&course->lambda, b.external = (const void *const *)&course->u;
            b.in = (const void *const *)course->integrals, b.out = course->integrals;
@  if integrand.parts.shared then
@    for _, range in ipairs(integrand.parts.cleared) do
            @(m.name)_clear(&b, @(list(range)));
@    end
@  end
            @(integrand.symbol)(&b);
@  if integrand.parts.shared then
            lrnde_grid_meet(&course->met);
            @(integrand.symbol)_share(&b);
            lrnde_grid_meet(&course->met); /* before partial sums are cleared, they have been added up */
@  end
        }
@end
        lrnde_grid_meet(&course->met); /* before the next step writes sums, they have been read */
    }
    if (first) lrnde_leave(course, &at);
}
#endif

