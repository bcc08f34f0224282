// The buffer between the network and the scanner, and the order of events. See parser.h.
#include "xmpp/xml/parser.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/parser_pool.h"
#include "xmpp/xml/scanner.h"
#include "xmpp/xml/tree_builder.h"

namespace xmpp {
namespace {

// Gives back memory, which assigning an empty string does not.
void free_string(std::string& text) noexcept {
    std::string().swap(text);
}

}  // namespace

class StreamParser::Impl {
public:
    Impl(const ParserLimits& limits, ParserPool* pool)
        : limits_(limits), scanner_(limits_), pool_(pool) {}
    ~Impl() { lend_builder(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    void feed(std::string_view bytes) {
        if (failed_) return;
        compact();
        if (pool_ != nullptr && buffer_.empty()) borrow_buffer();
        buffer_ += bytes;
    }

    ParserEvent next() {
        if (failed_) return ParserError{*failed_};
        if (is_close_due_) {
            is_close_due_ = false;
            closed_ = true;
            return StreamClose{};
        }
        if (closed_) return NeedMore{};
        if (consumed_ == buffer_.size()) return rest();
        const Scanner::Scan scan = scanner_.scan(buffer_);
        const bool is_inside = scanner_.is_in_element() || scan.outcome == kHeader ||
                               scan.outcome == kElement || scan.outcome == kClose;
        if (is_inside) parsed_ = std::max(parsed_, scanner_.element_start());
        if (is_inside && scan.safe_end > parsed_) {
            const std::size_t start = std::exchange(parsed_, scan.safe_end);
            const std::string_view tokens(buffer_.data() + start, scan.safe_end - start);
            if (auto error = tree().parse(tokens)) return fail(*std::move(error));
        }
        if (!is_inside) parsed_ = consumed_ = scan.safe_end;
        switch (scan.outcome) {
            case Scanner::Outcome::more:
                return rest();
            case Scanner::Outcome::header:
                return end_header(scan.safe_end);
            case Scanner::Outcome::element:
                return end_element(scan.safe_end);
            case Scanner::Outcome::close:
                return end_stream(scan.safe_end);
            case Scanner::Outcome::violation:
                break;
        }
        return fail(StreamError(scanner_.error()));
    }

    std::size_t pending_bytes() const noexcept { return buffer_.size() - consumed_; }

    bool pending_is_white_space() const noexcept {
        return buffer_.find_first_not_of(" \t\r\n", consumed_) == std::string::npos;
    }

    void discard_pending() noexcept {
        // In the middle of an element nothing sensible could follow.
        if (scanner_.is_in_element()) return;
        scanner_.drop(buffer_.size());
        buffer_.clear();
        consumed_ = parsed_ = 0;
    }

    void set_limits(const ParserLimits& limits) noexcept { limits_ = limits; }
    const ParserLimits& limits() const noexcept { return limits_; }

    bool release() {
        if (!is_at_rest()) return false;
        forget_buffered();
        free_string(buffer_);
        tree_.reset();
        return true;
    }

    std::size_t memory_in_use() const {
        return sizeof(*this) + buffer_.capacity() +
               (own_header_tag_ != nullptr ? own_header_tag_->capacity() : 0) +
               (tree_ != nullptr ? tree_->memory_in_use() : 0);
    }

    /// What is left of the buffer, for the next stream.
    std::string take_pending() {
        buffer_.erase(0, consumed_);
        return std::exchange(buffer_, {});
    }
    ParserPool* pool() const noexcept { return pool_; }
    void use_pool(ParserPool* pool) {
        lend_builder();
        pool_ = pool;
    }
    void restart_with(std::string pending) {
        buffer_ = std::move(pending);
        scanner_ = Scanner(limits_, true);
    }

private:
    static constexpr auto kHeader = Scanner::Outcome::header;
    static constexpr auto kElement = Scanner::Outcome::element;
    static constexpr auto kClose = Scanner::Outcome::close;

    // Moves the rest to the front once it is the smaller part, so that the cost stays linear.
    void compact() {
        if (consumed_ < buffer_.size() - consumed_) return;
        scanner_.drop(consumed_);
        buffer_.erase(0, consumed_);
        parsed_ -= consumed_;
        consumed_ = 0;
    }

    bool is_at_rest() const noexcept {
        return !failed_ && !closed_ && !is_close_due_ && pending_bytes() == 0 &&
               scanner_.is_between_elements();
    }

    // Nothing is left to parse.
    ParserEvent rest() {
        if (pool_ != nullptr && is_at_rest()) {
            forget_buffered();
            lend_builder();
            if (buffer_.capacity() > std::string().capacity())
                pool_->give_buffer(std::exchange(buffer_, {}));
        }
        return NeedMore{};
    }

    void forget_buffered() noexcept {
        scanner_.drop(buffer_.size());
        buffer_.clear();
        consumed_ = parsed_ = 0;
    }

    void borrow_buffer() {
        if (buffer_.capacity() == std::string().capacity()) buffer_ = pool_->take_buffer();
    }

    // A stream with an unusual header keeps its builder until `release`.
    void lend_builder() {
        if (pool_ == nullptr || tree_ == nullptr || own_header_tag_ != nullptr) return;
        if (tree_->can_go_on()) pool_->give_builder(std::move(tree_));
    }

    TreeBuilder& tree() {
        if (tree_ == nullptr && pool_ != nullptr && own_header_tag_ == nullptr) {
            tree_ = pool_->take_builder(header_tag_);
            if (tree_ != nullptr) tree_->adopt_limits(limits_);
        }
        if (tree_ == nullptr) {
            tree_ = std::make_unique<TreeBuilder>(limits_, std::string(header_tag_));
        }
        return *tree_;
    }

    ParserEvent fail(StreamError error) {
        failed_ = std::make_unique<StreamError>(std::move(error));
        tree_.reset();
        free_string(buffer_);
        consumed_ = parsed_ = 0;
        return ParserError{*failed_};
    }

    ParserEvent end_header(std::size_t end) {
        consumed_ = end;
        auto header = tree().take_header();
        if (!header) return fail(StreamError(StreamCondition::not_well_formed));
        keep_header_tag(tree().header_tag());
        is_close_due_ = tree().is_closed();
        return *std::move(header);
    }

    void keep_header_tag(const std::string& tag) {
        header_tag_ = ParserPool::find_usual(tag);
        if (!header_tag_.empty()) return;
        own_header_tag_ = std::make_unique<const std::string>(tag);
        header_tag_ = *own_header_tag_;
    }

    ParserEvent end_element(std::size_t end) {
        auto element = tree().take_element();
        if (!element) return fail(StreamError(StreamCondition::not_well_formed));
        StanzaElement stanza{*std::move(element), {}, end - scanner_.element_start()};
        if (may_keep_raw(stanza.element)) {
            const std::size_t start = scanner_.content_start();
            stanza.raw_inner =
                base::SharedBytes(buffer_.substr(start, scanner_.content_end() - start));
        }
        consumed_ = end;
        if (tree().is_worn()) {
            tree_.reset();
        } else {
            // What is behind the stanza may have to wait: others need not wait for a builder.
            lend_builder();
        }
        return stanza;
    }

    ParserEvent end_stream(std::size_t end) {
        consumed_ = end;
        if (!tree().is_closed()) return fail(StreamError(StreamCondition::not_well_formed));
        closed_ = true;
        return StreamClose{};
    }

    bool may_keep_raw(const Element& element) {
        if (!tree().is_content_self_contained() || scanner_.has_cdata()) return false;
        if (element.ns() != ns::client && element.ns() != ns::server) return false;
        return element.name() == "message" || element.name() == "presence" ||
               element.name() == "iq";
    }

    ParserLimits limits_;
    std::string buffer_;
    std::size_t consumed_ = 0;  // Bytes that belong to events already returned.
    std::size_t parsed_ = 0;    // Bytes that expat has seen, or never will.
    Scanner scanner_;
    ParserPool* pool_;
    std::unique_ptr<TreeBuilder> tree_;  // Null while there is nothing to parse.
    std::string_view header_tag_;        // Brings the stream's namespaces back; empty before it.
    std::unique_ptr<const std::string> own_header_tag_;  // That, unless it is a usual one.
    std::unique_ptr<StreamError> failed_;
    bool is_close_due_ = false;  // The header was an empty tag.
    bool closed_ = false;
};

StreamParser::StreamParser(const ParserLimits& limits, ParserPool* pool)
    : impl_(std::make_unique<Impl>(limits, pool)) {}
StreamParser::StreamParser(StreamParser&&) noexcept = default;
StreamParser& StreamParser::operator=(StreamParser&&) noexcept = default;
StreamParser::~StreamParser() = default;

void StreamParser::feed(std::span<const std::byte> bytes) {
    impl_->feed(base::as_text(bytes));
}
ParserEvent StreamParser::next() {
    return impl_->next();
}
bool StreamParser::pending_is_white_space() const noexcept {
    return impl_->pending_is_white_space();
}
std::size_t StreamParser::pending_bytes() const noexcept {
    return impl_->pending_bytes();
}
void StreamParser::discard_pending() noexcept {
    impl_->discard_pending();
}
void StreamParser::set_limits(const ParserLimits& limits) noexcept {
    impl_->set_limits(limits);
}

void StreamParser::reset() {
    auto fresh = std::make_unique<Impl>(impl_->limits(), impl_->pool());
    fresh->restart_with(impl_->take_pending());
    impl_ = std::move(fresh);
}

void StreamParser::use_pool(ParserPool* pool) {
    impl_->use_pool(pool);
}

bool StreamParser::release() {
    return impl_->release();
}
std::size_t StreamParser::memory_in_use() const {
    return impl_->memory_in_use();
}

}  // namespace xmpp
