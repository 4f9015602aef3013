#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest_tool.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

unsigned char* base64_decode(const char* text, size_t* length) {
  unsigned char* data = malloc(strlen(text) + 1);
  unsigned bits = 0, value = 0;
  if (data == NULL) fail("malloc");
  *length = 0;
  for (; *text != '\0' && *text != '='; ++text) {
    const char* digit = strchr(digits, *text);
    if (digit == NULL) fail("not base64");
    value = value << 6 | (unsigned)(digit - digits);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      data[(*length)++] = (unsigned char)(value >> bits);
    }
  }
  return data;
}

void base64_write(int descriptor, const unsigned char* data, size_t length) {
  char* text = malloc(length / 3 * 4 + 8);
  size_t used = 0;
  if (text == NULL) fail("malloc");
  for (size_t i = 0; i < length; i += 3) {
    size_t group = length - i < 3 ? length - i : 3;
    unsigned value = (unsigned)data[i] << 16;
    if (group > 1) value |= (unsigned)data[i + 1] << 8;
    if (group > 2) value |= data[i + 2];
    text[used++] = digits[value >> 18];
    text[used++] = digits[value >> 12 & 63];
    text[used++] = group > 1 ? digits[value >> 6 & 63] : '=';
    text[used++] = group > 2 ? digits[value & 63] : '=';
  }
  text[used++] = '\n';
  for (size_t written = 0; written < used;) {
    ssize_t count = write(descriptor, text + written, used - written);
    if (count < 0) fail("write");
    written += (size_t)count;
  }
  free(text);
}
