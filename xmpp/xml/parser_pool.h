// ParserPool: what the parsers of one shard lend each other. A parser that stands between two
// stanzas hands its expat and its buffer back and takes them from here for the next stanza, so an
// idle stream holds neither, and a thousand busy ones share a few that stay in the cache.
//
// An expat that has seen a usual stream header serves every stream with that header: all it knows
// are the namespaces in force. Where it was in the middle of something, or may have grown, it is
// not taken back.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

class TreeBuilder;

/// Not for two threads at once. Outlives the parsers that use it.
class ParserPool {
public:
    ParserPool();
    ParserPool(const ParserPool&) = delete;
    ParserPool& operator=(const ParserPool&) = delete;
    ~ParserPool();

    /// Bytes of memory held for the next parser, expat's share estimated.
    std::size_t memory_in_use() const;

    // For StreamParser.

    /// The stream header (TreeBuilder::header_tag) of nearly every client if `tag` is one of those,
    /// as a constant; else empty. Only builders behind such a header are pooled.
    static std::string_view find_usual(std::string_view tag) noexcept;

    /// A builder between two elements of a stream with that header; null when there is none.
    std::unique_ptr<TreeBuilder> take_builder(std::string_view usual_tag);
    /// Precondition: `builder->can_go_on()`. Keeps it if its header is usual and there is room.
    void give_builder(std::unique_ptr<TreeBuilder> builder);
    /// Empty; with room, if there is one.
    std::string take_buffer();
    void give_buffer(std::string buffer);

private:
    static constexpr std::size_t kBuildersMax = 8;
    static constexpr std::size_t kBuffersMax = 8;
    static constexpr std::size_t kBufferBytesMax = 65'536;
    static constexpr std::size_t kUsualTags = 2;

    std::array<std::vector<std::unique_ptr<TreeBuilder>>, kUsualTags> builders_;
    std::vector<std::string> buffers_;
};

}  // namespace xmpp
