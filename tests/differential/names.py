"""Names, paths and values chosen to hurt."""

# None of them reads as a short prefix of a commit id: with ids that differ, so would what it finds.
BRANCHES = ["main", "dev", "w", "w-1", "w_2", "W", "deadbeef", "feature-" + "x" * 60, "0x"]
# Only where ids are equal.
SHORT_REFS = ["ff", "a", "b", "0", "00", "A"]
BAD_BRANCHES = ["", "-x", "a.b", "a/b", "a b", "é", "main~1", "main@", "main$", "x\n", "nobody", "%", "+"]
TAGS = ["v1", "v1.0", ".x", "-t", "t{%+", "ünï", "v1-rc", "cafe", "x~1"]
BAD_TAGS = ["", "x.lock", "a..b", "a b", "@", "abc@{", "a/b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "x.", "nobody", "a\x7f"]
MODIFIERS = ["", "", "", "", "", "~", "~1", "~2", "~0", "~9", "^", "^1", "^2", "^0", "^3", "@", "$", "~1^1", "^^", "~~", "~1~1",
             "@~1", "$@", "@@", "~x", "^x", "~1x", "~-1", "~99999999999999999999", "^2~1", "~1@", "~1$"]
BAD_REFS = ["", " ", "nobody", "~", "^1", "@", "$", "main main", "main..dev", "zzzz", "0" * 64, "g" * 64, "0" * 65,
            "é", "main/", "main%", "main+", "MAIN", "x" * 300]

PATHS = ["a", "a/", "a/b", "a/b/", "a/b/c", "a/b/c/d", "a/b//c", "a//", "a0", "a!", "a~", "a/b0", "a/b!", "aa", "ab/c", "b", "b/x",
         "b/y/z", "c.txt", "dir/one", "dir/two", "dir/sub/one", "dir/sub/two", "dir-1/x", "dir.x", "z/z/z/z/z"]
ODD_PATHS = ["/", "/a", "//", "//a", "a b", "a+b", "a%2Fb", "a%", "%", "ä/ö", "日本/語", "a\nb", "a\tb", "a/\x01", "\x7f", "\uffff", "\U0001f600", ".",
             "..", "../x", "./x", "a/../b", "a\\b", "a&b<c>", "\"q\"", "'s'", "?q", "#h", " ", " lead", "trail ", "a,b", "a;b", "{x}", "_lakefs/x",
             "e\u0301", "\u00e9", "x" * 1024, "é" * 512, "d/" * 511 + "ab", "*", "[x]", "\x00", "a\x00b", "\u2028", "con", "~", "a=b", "|"]
BAD_PATHS = ["", "x" * 1025, "é" * 513]
RAW_PATHS = [b"%zz", b"a%2", b"a+b", b"a%2Bb", b"a%00", b""]
NOT_UTF8 = [b"%ff", b"a%FFb", b"%e4%b8"]  # the reference keeps the bytes, Tarn U+FFFD: the trees then differ
PREFIXES = ["", "", "a", "a/", "a/b", "a/b/", "b", "dir", "dir/", "dir/s", "d", "z", "/", "//", "a/b//", "ä", "日", "x" * 1024, "x" * 1025, "\uffff",
            "a\n", "nothing", " ", "%"]
DELIMITERS = [None, None, None, "/", "/", "/", "b", "//", "", "-", "/b", "ö", "a/b"]
AFTERS = [None, None, None, "", "a", "a/", "a/b", "a/b/", "a/b/c", "a0", "b", "dir/", "dir/sub/", "dir/sub/one", "zzz", "\U0001f600", "/", "main", "v1", " "]
AMOUNTS = [None, None, None, None, 1, 2, 3, 5, 7, 0, -1, 1000, 100]
BAD_AMOUNTS = [1001, -2, "abc", "", "1.0", "+2", "05", "1e2", "0x10", 99999999999999999999]

CONTENT_TYPES = [None, None, "text/plain", "text/html", "application/octet-stream", "image/png", "text/plain; charset=utf-8", "x", ""]
METADATA = [None, None, None, {}, {"k": "v"}, {"k": "w"}, {"ä b": "ü\n<&>"}, {"": "empty key"}, {"X-Amz-Meta-k": "v"},
            {"::lakefs::posix-permissions": "{\"mode\":420}"}]
# The reference writes the map of an entry in random order: of several keys the range ids are not even equal to its own.
MANY_KEYS = [{"K": "v", "a b": "ü\n<&>", "": "empty key"}, {"k" + str(i): "v" * i for i in range(5)}]
BODIES = [b"", b"x", b"hello, world\n", b"\x00\xff" * 100, b"y" * 70000]
MESSAGES = ["", "m", "first", "two\nlines", "ünï <&> \"q\"", "x" * 3000, "\u2028", "\U0001f600"]
RANGES = ["bytes=0-3", "bytes=2-", "bytes=-2", "bytes=0-0", "bytes=0-99999", "bytes=5-2", "bytes=99999-", "bytes=-0", "bytes=-99999", "bytes=0-1,3-4", "bytes=", "bytes=a-b",
          "items=0-1", "bytes=-", "bytes=1-1 ", "bytes=99999999999999999999-"]
BOOLS = ["true", "false", "1", "0", "True", "t", "T", "F"]
BAD_BOOLS = ["yes", "", "tRue", "2"]
