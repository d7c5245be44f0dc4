#include "sources/prompt_loss.h"

#include <math.h>

#include "ops/loss.h"

double prompt_loss_sum(float *dprediction, const struct prompt_loss *loss, const float *prediction,
                       const float *target, double weight, size_t n) {
    switch (loss->kind) {
    case LOSS_HUBER:
        return loss_huber(dprediction, prediction, target, loss->delta, weight, n);
    case LOSS_LOGISTIC:
        return loss_logistic(dprediction, prediction, target, weight, n);
    default:
        return loss_mse(dprediction, prediction, target, weight, n);
    }
}

float prompt_loss_error(const struct prompt_loss *loss, float prediction, float target) {
    if (isnan(prediction)) return prediction; /* NaN has no sign and must not count as an answer */
    if (loss->kind == LOSS_LOGISTIC) return (prediction > 0) == (target > 0) ? 0.0F : 1.0F;
    return (prediction - target) * (prediction - target);
}

const char *prompt_loss_error_name(const struct prompt_loss *loss) {
    if (loss->kind == LOSS_CROSS_ENTROPY) return "share of wrong answers";
    return loss->kind == LOSS_LOGISTIC ? "share of wrong signs" : "mean squared error";
}
