/**
 * `$odd` is empty for an answer whose framing needs no second look, which are almost all: its length is one number that nginx took,
 * or it is chunked and nothing else, or it says that it lasts until the connection ends; and its Connection field names no field.
 * `open` says neither, and may have a Content-Length without a value. Reading these fields in Lua (`lua/response.lua`) costs twice
 * as much, because it looks for variables by name; that is also why this name is short.
 */
export const framingMap = `map "$upstream_http_content_length;$sent_http_content_length;$upstream_http_transfer_encoding;$upstream_http_connection" $odd {
    default odd;
    "~*^(?:(\\d+);\\1|;\\d+);;(?:keep-alive|close)?$" "";
    ";;;close" "";
    ";;;keep-alive" open;
    ";;;" open;
    ";;chunked;" "";
    ";;chunked;close" "";
    ";;chunked;keep-alive" "";
}`;
