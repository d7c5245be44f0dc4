/*
 * doctor_model.h - what `taskvec doctor` reports of the folder of a language model.
 */
#ifndef CLI_DOCTOR_MODEL_H
#define CLI_DOCTOR_MODEL_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/doctor_report.h"

/* Adds lines on sizes, weights, defaults, unused tensors, memory and expected speed; hash: also the
 * SHA-256 of the tensors. It reads all weights once and measures sgemm for a fraction of a second.
 * ERR_DATA for a folder that cannot be computed, and for a NaN or infinity in its weights. */
enum err_code doctor_model(struct doctor *d, const char *folder, bool hash, struct err *err);

#endif
