/* folder.h: what stands in the folder that folder.c's scandir reads, set by a driver. */
#ifndef PROOF_FOLDER_H
#define PROOF_FOLDER_H

#include <dirent.h>

enum { FOLDER_MOST = 2 };

extern struct dirent folder_entries[FOLDER_MOST];

#endif
