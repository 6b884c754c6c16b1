// How a browser is told under which name to save what a URL gives. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tarn::block::s3 {

/// A Content-Disposition of RFC 6266, e.g. `attachment; filename="a b.csv"`; names that ASCII
/// cannot spell are encoded (RFC 8187).
std::string attachment(std::string_view file_name);

}  // namespace tarn::block::s3
