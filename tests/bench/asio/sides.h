// The same jobs for both sides of the comparison.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

using Ready = std::function<void(std::uint16_t port)>;

// Echo servers; they serve for ever. By callbacks, and as a coroutine per connection.
void reactor_echo(const Ready& ready);
void reactor_coroutine_echo(const Ready& ready);
void asio_echo(const Ready& ready);
void asio_coroutine_echo(const Ready& ready);

void reactor_tls_echo(const Ready& ready, const std::string& certificate, const std::string& key);
void asio_tls_echo(const Ready& ready, const std::string& certificate, const std::string& key);

/// PEM texts for both.
std::pair<std::string, std::string> certificate_and_key();

struct TimerPlan {
    std::vector<std::chrono::nanoseconds> delays;  ///< Of each timer, minutes.
    std::vector<std::pair<std::size_t, std::chrono::nanoseconds>> again;
    std::vector<std::chrono::nanoseconds> soon;  ///< Of each timer, within a second.
};
/// CPU seconds for all of them.
struct TimerTimes {
    double arm = 0;
    double rearm = 0;
    double fire = 0;
};
TimerTimes reactor_timers(const TimerPlan& plan);
TimerTimes asio_timers(const TimerPlan& plan);

/// Calls from one thread to the loop of another: elapsed seconds for all of them.
double reactor_posts(std::size_t posts);  ///< Reactor::post, from any thread.
double asio_posts(std::size_t posts);
/// The same between two loops, in batches of kMailBatch, each of which is answered.
double reactor_mail(std::size_t posts);
double asio_mail(std::size_t posts);
constexpr std::size_t kMailBatch = 512;

}  // namespace bench
