/* arguments.h: the argument that arguments.c hands to whoever asks for an option's; the driver's own. */
#ifndef PROOF_ARGUMENTS_H
#define PROOF_ARGUMENTS_H

extern const char *argument_text;

#endif
