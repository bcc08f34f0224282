// D13: files through the pool, send_file, standard input and output.
#include "reactor/net/file.h"

#include "reactor/memory_pipe.h"
#include "reactor/net/connection.h"
#include "reactor/net/descriptor_stream.h"
#include "reactor/sim/sim_world.h"
#include "real_loop.h"
#include "tests/reactor/stream_peer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>

namespace reactor {
namespace {

using base::Errc;
using test::StreamPeer;
using namespace std::chrono_literals;

class D13_File : public test::RealLoop {
protected:
    ~D13_File() override { ::unlink(path.c_str()); }
    base::Result<File> open(FileMode mode) { return wait(File::open(pool(), path, mode)); }
    BlockingPool& pool() { return world().blocking; }
    std::string path = temporary("file");
};

TEST_F(D13_File, is_made_written_read_and_measured) {
    EXPECT_EQ(open(FileMode::read).error().code(), Errc::not_found);
    EXPECT_EQ(open(FileMode::read_write).error().code(), Errc::not_found);
    auto file = open(FileMode::exclusive);
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_EQ(open(FileMode::exclusive).error().code(), Errc::already_exists);
    EXPECT_TRUE(wait(file->write_at(0, "hello world")));
    EXPECT_TRUE(wait(file->write_at(6, "there")));
    EXPECT_EQ(*wait(file->append("!")), 11u);
    EXPECT_EQ(*wait(file->size()), 12u);
    EXPECT_EQ(*wait(file->read_at(0, 100)), "hello there!");
    EXPECT_EQ(*wait(file->read_at(6, 5)), "there");
    EXPECT_EQ(*wait(file->read_at(12, 5)), "") << "behind the end";
    EXPECT_TRUE(wait(file->sync()));
    EXPECT_TRUE(wait(file->truncate(5)));
    EXPECT_EQ(*wait(file->read_at(0, 100)), "hello");
    auto emptied = open(FileMode::truncate);
    ASSERT_TRUE(emptied);
    EXPECT_EQ(*wait(emptied->size()), 0u);
    auto reader = open(FileMode::read);
    ASSERT_TRUE(reader);
    EXPECT_FALSE(wait(reader->write_at(0, "x"))) << "opened for reading";
}

TEST_F(D13_File, refuses_what_is_no_file_and_what_is_too_much) {
    path = testing::TempDir();
    EXPECT_EQ(open(FileMode::read).error().code(), Errc::invalid_argument) << "a directory";
    path = temporary("fifo");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(open(FileMode::read).error().code(), Errc::invalid_argument) << "and it did not hang";
    ::unlink(path.c_str());
    auto file = open(FileMode::create);
    ASSERT_TRUE(file);
    EXPECT_EQ(wait(file->read_at(0, File::kReadBytesMax + 1)).error().code(),
              Errc::invalid_argument);
    EXPECT_EQ(wait(file->read_at(~std::uint64_t{0}, 1)).error().code(), Errc::invalid_argument);
    EXPECT_EQ(wait(file->write_at(~std::uint64_t{0} >> 1, "x")).error().code(),
              Errc::invalid_argument);
}

TEST_F(D13_File, stays_open_until_its_last_job_has_ended) {
    std::optional<Deferred<void>> writing;
    {
        auto file = open(FileMode::create);
        ASSERT_TRUE(file);
        writing.emplace(file->write_at(0, std::string(1'000'000, 'x')));
    }
    EXPECT_TRUE(wait(*std::move(writing)));
    auto file = open(FileMode::read);
    ASSERT_TRUE(file);
    EXPECT_EQ(*wait(file->size()), 1'000'000u);
}

TEST_F(D13_File, is_sent_no_faster_than_the_peer_reads) {
    auto file = open(FileMode::create);
    ASSERT_TRUE(file);
    std::string contents;
    for (int i = 0; contents.size() < 500'000; ++i)
        contents += std::to_string(i);
    ASSERT_TRUE(wait(file->write_at(0, contents)));
    auto ends = memory_pipe(world(), world(), {.capacity = 1000});
    Connection to(world(), std::move(ends.first),
                  {.write_high_bytes = 10'000, .write_low_bytes = 1000});
    Connection reader(world(), std::move(ends.second));
    Deferred<std::uint64_t> sending =
        send_file(to, *std::move(file), {.offset = 10, .chunk_bytes = 16'384});
    std::string received;
    std::size_t unsent_most = 0;
    while (received.size() < contents.size() - 10) {
        received += *wait(reader.read());
        unsent_most = std::max(unsent_most, to.unsent_bytes());
    }
    EXPECT_EQ(*wait(std::move(sending)), contents.size() - 10);
    EXPECT_EQ(received, contents.substr(10));
    EXPECT_LE(unsent_most, 30'000u) << "the watermark and a chunk";
}

TEST(D13_FileInTheSimulator, takes_virtual_time) {
    SimWorld sim({.job_time_min = 5ms, .job_time_max = 5ms});
    const Reactor::Scope scope(sim.world().reactor);
    const auto began = sim.now();
    auto opening =
        File::open(sim.world().blocking, "/etc/hostname-that-is-not-there", FileMode::read);
    EXPECT_FALSE(opening.settled());
    sim.run_until([&] { return opening.settled(); }, 1s);
    EXPECT_EQ(sim.now() - began, 5ms);
    EXPECT_EQ(opening.take().error().code(), Errc::not_found);
}

class D13_Stdio : public test::RealLoop {
protected:
    std::pair<OwnedFd, OwnedFd> pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        return {OwnedFd(ends[0]), OwnedFd(ends[1])};
    }
};

TEST_F(D13_Stdio, reads_and_writes_pipes_and_leaves_their_flags_alone) {
    auto [input, typed] = pipe();
    auto [shown, output] = pipe();
    auto stream = stdio_stream(world(), input.get(), output.get());
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ(::fcntl(input.get(), F_GETFL) & O_NONBLOCK, 0);
    StreamPeer peer(*std::move(stream));
    ASSERT_EQ(::write(typed.get(), "typed", 5), 5);
    ASSERT_TRUE(run_until([&] { return peer.received() == "typed"; }));
    peer.send("shown");
    run_turns(2);
    std::array<char, 16> text{};
    ASSERT_EQ(::read(shown.get(), text.data(), text.size()), 5);
    EXPECT_EQ(std::string_view(text.data(), 5), "shown");
    typed.reset();
    ASSERT_TRUE(run_until([&] { return peer.ended(); }));
}

TEST_F(D13_Stdio, survives_a_reader_that_is_gone) {
    auto [input, typed] = pipe();
    auto [shown, output] = pipe();
    auto stream = stdio_stream(world(), input.get(), output.get());
    ASSERT_TRUE(stream);
    output.reset();
    shown.reset();
    StreamPeer peer(*std::move(stream));
    peer.send("nobody reads this");
    EXPECT_EQ(peer.failed(), Errc::connection_lost) << "and no SIGPIPE";
}

TEST_F(D13_Stdio, restores_the_flags_of_sockets_when_it_goes) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const OwnedFd ours(ends[0]);
    const OwnedFd theirs(ends[1]);
    {
        auto stream = stdio_stream(world(), ours.get(), ours.get());
        ASSERT_TRUE(stream);
        EXPECT_NE(::fcntl(ours.get(), F_GETFL) & O_NONBLOCK, 0);
        StreamPeer peer(*std::move(stream));
        ASSERT_EQ(::write(theirs.get(), "x", 1), 1);
        ASSERT_TRUE(run_until([&] { return peer.received() == "x"; }));
    }
    EXPECT_EQ(::fcntl(ours.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(D13_Stdio, takes_regular_files_as_always_ready) {
    const std::string path = temporary("stdio");
    OwnedFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ::unlink(path.c_str());
    ASSERT_EQ(::write(file.get(), "from a file", 11), 11);
    ASSERT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
    auto [shown, output] = pipe();
    auto stream = stdio_stream(world(), file.get(), output.get());
    ASSERT_TRUE(stream) << stream.error().message();
    StreamPeer peer(*std::move(stream));
    ASSERT_TRUE(run_until([&] { return peer.ended(); }));
    EXPECT_EQ(peer.received(), "from a file");
    EXPECT_EQ(stdio_stream(world(), 9999, output.get()).error().code(), Errc::invalid_argument);
}

}  // namespace
}  // namespace reactor
