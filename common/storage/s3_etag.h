// The ETags that S3 gives to objects. Pure.
#ifndef TESSERA_COMMON_STORAGE_S3_ETAG_H_
#define TESSERA_COMMON_STORAGE_S3_ETAG_H_

#include <string>
#include <vector>

namespace tessera::storage {

// Returns the ETag of an object made from parts with these ETags: the MD5 of
// their MD5s, and "-" with their number. Empty when one of them is no MD5, as
// with encryption by a key service.
std::string CompositeEtag(const std::vector<std::string>& parts);

}  // namespace tessera::storage

#endif  // TESSERA_COMMON_STORAGE_S3_ETAG_H_
