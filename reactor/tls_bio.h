// The BIO between OpenSSL and the stream below: it calls try_read and try_writev directly and keeps
// what came of the last call, which OpenSSL's error codes cannot carry. Private to tls*.cpp.
#pragma once

#include "reactor/stream.h"
#include "reactor/tls_openssl.h"

#include <optional>

namespace reactor {

struct TlsLower {
    std::unique_ptr<ByteStream> stream;
    std::optional<base::Errc> error = {};  ///< The stream broke.
    bool ended = false;                    ///< It ended.
    bool maybe_more = true;                ///< Another read may find bytes.
};

/// A BIO over `lower`, which must outlive it and stay in place. Null when memory is short.
BIO* new_tls_bio(TlsLower& lower);

/// Gives an established connection the BIO that all of this thread share, in place of one of its
/// own; without memory for it, nothing changes. From then on, and again on every other thread it
/// moves to, `aim` must precede each call that may read or write.
void share_tls_bio(SSL* ssl);
/// OpenSSL's next calls on `ssl` go to `lower`.
inline void aim(SSL* ssl, TlsLower& lower) {
    BIO_set_data(SSL_get_rbio(ssl), &lower);
}

}  // namespace reactor
