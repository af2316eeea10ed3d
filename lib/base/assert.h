/*
 * Assertions that stay on in every build.
 *
 * ASSERT states what the programmer promised. A false one prints the expression and its place and
 * aborts the process: a transaction manager that found itself wrong must not go on deciding (I11).
 * What the world or a peer may do wrong is never an ASSERT.
 */
#ifndef SETTLE_BASE_ASSERT_H
#define SETTLE_BASE_ASSERT_H

_Noreturn void assert_fail(const char *expr, const char *file, int line);

#define ASSERT(expr) ((expr) ? (void)0 : assert_fail(#expr, __FILE__, __LINE__))

/* States that a place cannot be reached; works where a value is expected of the caller. */
#define UNREACHABLE() assert_fail("unreachable", __FILE__, __LINE__)

#endif
