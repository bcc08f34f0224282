// ProcessCore: what every Process shares, whatever runs it: its pipes, and who waits for its exit
// and its end. Internal to process.cpp and sim/sim_process.cpp.
#pragma once

#include "reactor/net/forwarding_stream.h"
#include "reactor/process/process.h"
#include "reactor/timers.h"

#include <utility>
#include <vector>

namespace reactor::detail {

class ProcessCore;

/// Those it names, or the usual three pipes; none with a terminal, which takes their place.
/// invalid_argument: it asks for both.
base::Result<std::vector<ChildFd>> descriptors_of(const ProcessSpec& spec);
bool has_own_group(const ProcessSpec& spec) noexcept;

/// Our end of one pipe, which tells the Process when it is over.
class ProcessPipe final : public ForwardingStream {
public:
    ProcessPipe(std::unique_ptr<ByteStream> lower, ProcessCore& process, bool counts)
        : ForwardingStream(std::move(lower)), process_(&process), counts_(counts) {}
    ~ProcessPipe() override { over(); }

    IoResult try_read(std::span<std::byte> into) override {
        const IoResult result = lower().try_read(into);
        if (result.status == IoStatus::end_of_stream || result.status == IoStatus::failed) over();
        return result;
    }
    void set_observer(StreamObserver* observer) override {
        observer_ = observer;
        lower().set_observer(observer);
    }
    void arm(Interest interest) override {
        if (interest == Interest::readable) awaited_ = true;
        lower().arm(interest);
    }
    void disarm(Interest interest) override {
        if (interest == Interest::readable) awaited_ = false;
        lower().disarm(interest);
    }
    void close() override {
        lower().close();
        over();
    }
    void abort() override { close(); }
    void leave() noexcept { process_ = nullptr; }
    void give_up(World& world);
    bool counts() const noexcept { return counts_; }
    bool open() const noexcept { return counts_ && process_ != nullptr; }

private:
    void over();
    ProcessCore* process_;
    StreamObserver* observer_ = nullptr;
    bool counts_;
    bool awaited_ = false;  // Armed once; perhaps told since, which does no harm.
};

class ProcessCore : public Process {
public:
    explicit ProcessCore(World& world) noexcept : world_(world) {}
    ~ProcessCore() override;

    /// `counts`: the process has not ended while it is open.
    void add_pipe(int child_fd, std::unique_ptr<ByteStream> stream, bool counts);
    void pipe_over();

    ByteStream& stream(int child_fd) override { return *pipe(child_fd).stream; }
    std::unique_ptr<ByteStream> take_stream(int child_fd) override;
    Deferred<ExitStatus> exited() override;
    Deferred<ProcessEnd> ended(base::Duration grace) override;
    const std::optional<ExitStatus>& status() const noexcept override { return status_; }

protected:
    /// Once: the status, or why it is unknown.
    void set_exited(base::Result<ExitStatus> status);
    bool is_over() const noexcept { return status_ || lost_; }
    World& world() noexcept { return world_; }

private:
    struct Pipe {
        int child_fd;
        std::unique_ptr<ProcessPipe> stream;
    };
    struct EndWait {
        EndWait(ProcessCore& process, base::Duration its_grace)
            : grace(its_grace), timer([&process] { process.abandon_pipes(); }) {}
        Promise<ProcessEnd> promise;
        base::Duration grace;
        CallbackTimer timer;
    };
    Pipe& pipe(int child_fd);
    void settle_ends(bool abandoned);
    void abandon_pipes();

    World& world_;
    std::optional<ExitStatus> status_;
    std::optional<base::Failure> lost_;  // The status is unknown, for this reason.
    std::vector<Promise<ExitStatus>> exits_;
    std::vector<std::unique_ptr<EndWait>> ends_;
    std::size_t open_pipes_ = 0;
    std::vector<Pipe> pipes_;
};

}  // namespace reactor::detail
