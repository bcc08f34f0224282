#include "tests/bots/measure/sampler.h"

#include <algorithm>
#include <chrono>

namespace bots {
namespace {

double seconds_of(base::Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

// Counters of processes that were read at different moments may seem to go back.
double per_second(double after, double before, double seconds) {
    return seconds > 0 ? std::max(after - before, 0.0) / seconds : 0;
}

}  // namespace

base::Duration sample_interval_for(base::Duration run) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(run / 1000);
    return std::max(seconds, std::chrono::seconds(1));
}

Sampler::Sampler(base::MonotonicTime start, const Counters& counters)
    : start_(start), before_at_(start), before_(counters) {}

Sample Sampler::take(base::MonotonicTime now, const Counters& counters, const Histogram& latency) {
    Histogram interval = latency;
    interval.subtract(latency_before_);
    const double seconds = seconds_of(now - before_at_);

    Sample sample;
    sample.at = now - start_;
    sample.online = counters.online;
    sample.messages_per_s = per_second(static_cast<double>(counters.messages_received),
                                       static_cast<double>(before_.messages_received), seconds);
    sample.logins_per_s = per_second(static_cast<double>(counters.logins),
                                     static_cast<double>(before_.logins), seconds);
    sample.latency_p50 = interval.percentile(0.5);
    sample.latency_p99 = interval.percentile(0.99);
    sample.bots_cpu_share = per_second(counters.bots_cpu_s, before_.bots_cpu_s, seconds);
    if (counters.server) {
        if (before_.server)
            sample.server_cpu_share =
                per_second(counters.server->cpu_s, before_.server->cpu_s, seconds);
        sample.server_rss_bytes = counters.server->rss_bytes;
        sample.server_pss_bytes = counters.server->pss_bytes;
    }
    before_at_ = now;
    before_ = counters;
    latency_before_ = latency;
    keep(sample);
    return sample;
}

void Sampler::keep(const Sample& sample) {
    if (taken_++ % stride_ != 0) return;
    if (samples_.size() >= kSamplesMax) {
        // Every second one stays: those whose number is a multiple of the new stride.
        for (std::size_t index = 0; index < samples_.size() / 2; ++index)
            samples_[index] = samples_[2 * index];
        samples_.resize(samples_.size() / 2);
        stride_ *= 2;
        if ((taken_ - 1) % stride_ != 0) return;
    }
    samples_.push_back(sample);
}

}  // namespace bots
