/* syscall.h: the one number that src/ calls by (memfd_secret(2)); the function is Linux's syscall(2). */
#ifndef PROOF_SYSCALL_H
#define PROOF_SYSCALL_H

#define SYS_memfd_secret 447
#define syscall(number, flags) proof_memfd_secret(flags)
long proof_memfd_secret(unsigned flags);

#endif
