// Shell-style patterns over whole names, for branch protection (storage-format.md 2.6). Pure.
#pragma once

#include <string_view>

namespace tarn::versioning {

/// True if all of `text` matches: `*` any run, `?` one character, `[abc]`, `[a-z]`, `[!a-z]`,
/// `{one,two}` (may nest), `\x` the character x. No character is a separator. A pattern that does
/// not parse matches nothing. Time is bounded by the product of both lengths.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace tarn::versioning
