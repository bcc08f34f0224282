// Weather: makes the planned faults happen to a server, its disk, the network and the phones.
#pragma once

#include "storage/sim_disk.h"
#include "tests/sim/crowd.h"
#include "tests/sim/faults.h"

#include <functional>
#include <map>
#include <vector>

namespace sim {

class Weather {
public:
    struct Parts {
        server::test::ServerHarness& harness;
        storage::SimDisk& disk;
        Crowd& crowd;
        Journal& journal;
        MessageLog& messages;
        std::uint64_t seed = 1;
        base::Duration latency_min;
        base::Duration latency_max;
        base::Duration storage_delay;   ///< When the disk is not slow.
        std::function<void()> started;  ///< The server has been started again.
    };

    explicit Weather(Parts parts);

    /// Lets `time` pass, with what is planned for it. False: the world does not come to rest.
    bool pass(const std::vector<Fault>& plan, base::Duration time);
    /// Everything is mended, and the server runs.
    void clear();

private:
    static constexpr std::uint64_t kStream = 2000;

    bool advance_to(base::MonotonicTime time);
    void strike(const Fault& fault);
    void strike_network(const Fault& fault);
    void strike_storage(const Fault& fault);
    void strike_server(const Fault& fault);
    void later(base::Duration after, std::function<void()> call);
    void start_again();
    void note(const Fault& fault, std::string_view what);
    Phone& some_phone(const Fault& fault);

    Parts parts_;
    Chance chance_;
    std::multimap<base::MonotonicTime, std::function<void()>> later_;
    std::vector<std::string> silent_;
};

}  // namespace sim
