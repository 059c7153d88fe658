/*
 * dce.c - what no output needs is dropped, unused inputs included.
 *
 * Enters any graph; leaves the values that some output depends on, in their order.  The other passes build what they need
 * and leave what they no longer need: that lies here, so that none of them counts uses to clean up.
 *
 *     %0 = input u                    %0 = input u
 *     %1 = const 0                    %1 = sin %0
 *     %2 = sin %0             ->      output f = %1
 *     output f = %2
 */
#include "passes/pass.h"

ir_graph *pass_dce(const ir_graph *g, const pass_options *options)
{
    (void)options;
    return ir_extract(g, 0, NULL, NULL);
}
