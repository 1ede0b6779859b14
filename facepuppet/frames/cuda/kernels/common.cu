// What every kernel uses: one thread makes one value; pictures are rows of packed pixels.
// Kernels gather and never wait for each other: no shared memory, no barriers.

#define KERNEL extern "C" __global__ void
#define X ((int)(blockIdx.x * blockDim.x + threadIdx.x))
#define Y ((int)(blockIdx.y * blockDim.y + threadIdx.y))

__device__ inline int clampi(int v, int low, int high) { return v < low ? low : v > high ? high : v; }
__device__ inline float clampf(float v, float low, float high) { return v < low ? low : v > high ? high : v; }
__device__ inline float mix(float a, float b, float t) { return a + (b - a) * t; }

// OpenCV's saturating cast: to the nearest, ties to even.
__device__ inline unsigned char to_u8(float v) { return (unsigned char)clampf(rintf(v), 0.f, 255.f); }

// OpenCV's multiply(a, b, scale=1/255) of bytes.
__device__ inline unsigned char scaled(unsigned char a, unsigned char b) {
    return to_u8((float)a * (float)b * (1.f / 255.f));
}

__device__ inline float2 affine(const float map[2][3], float x, float y) {
    return make_float2(map[0][0] * x + map[0][1] * y + map[0][2], map[1][0] * x + map[1][1] * y + map[1][2]);
}

__device__ inline bool in_box(const int box[4], int x, int y) {
    return x >= box[0] && y >= box[1] && x < box[0] + box[2] && y < box[1] + box[3];
}

// BORDER_REFLECT_101: … 2 1 | 0 1 2 … n−1 | n−2 …
__device__ inline int reflect(int i, int n) {
    if (n == 1) return 0;
    int period = 2 * n - 2;
    i = i < 0 ? -i : i;
    i %= period;
    return i < n ? i : period - i;
}

// Bilinear sampling of (h, w) floats, float2 and byte pixels, continued by their border.
struct Corners {
    int x0, x1, y0, y1;
    float fx, fy;
};

__device__ inline Corners corners_of(float x, float y, int w, int h) {
    Corners c;
    x = clampf(x, -1.f, (float)w);  // far outside, integers would overflow
    y = clampf(y, -1.f, (float)h);
    float left = floorf(x), top = floorf(y);
    c.fx = x - left;
    c.fy = y - top;
    c.x0 = clampi((int)left, 0, w - 1);
    c.x1 = clampi((int)left + 1, 0, w - 1);
    c.y0 = clampi((int)top, 0, h - 1);
    c.y1 = clampi((int)top + 1, 0, h - 1);
    return c;
}

__device__ inline float bilinear(float a, float b, float c, float d, Corners at) {
    return mix(mix(a, b, at.fx), mix(c, d, at.fx), at.fy);
}

__device__ inline float2 sample2(const float2* map, int stride, int w, int h, float x, float y) {
    Corners c = corners_of(x, y, w, h);
    float2 nw = map[c.y0 * stride + c.x0], ne = map[c.y0 * stride + c.x1];
    float2 sw = map[c.y1 * stride + c.x0], se = map[c.y1 * stride + c.x1];
    return make_float2(bilinear(nw.x, ne.x, sw.x, se.x, c), bilinear(nw.y, ne.y, sw.y, se.y, c));
}

__device__ inline float4 sample4(const uchar4* picture, int w, int h, float x, float y) {
    Corners c = corners_of(x, y, w, h);
    uchar4 nw = picture[c.y0 * w + c.x0], ne = picture[c.y0 * w + c.x1];
    uchar4 sw = picture[c.y1 * w + c.x0], se = picture[c.y1 * w + c.x1];
    return make_float4(bilinear(nw.x, ne.x, sw.x, se.x, c), bilinear(nw.y, ne.y, sw.y, se.y, c),
                       bilinear(nw.z, ne.z, sw.z, se.z, c), bilinear(nw.w, ne.w, sw.w, se.w, c));
}

__device__ inline uchar4 rounded(float4 v) {
    return make_uchar4(to_u8(v.x), to_u8(v.y), to_u8(v.z), to_u8(v.w));
}

// Colour over a pixel by a share in bytes, each product rounded as on the CPU; coverage stays.
__device__ inline void blend_into(uchar4* pixel, uchar4 colour, unsigned char share) {
    unsigned char rest = 255 - share;
    pixel->x = (unsigned char)clampi(scaled(colour.x, share) + scaled(pixel->x, rest), 0, 255);
    pixel->y = (unsigned char)clampi(scaled(colour.y, share) + scaled(pixel->y, rest), 0, 255);
    pixel->z = (unsigned char)clampi(scaled(colour.z, share) + scaled(pixel->z, rest), 0, 255);
}

// Resizing puts pixel x of n_target between two of n_source: behind the first, by rest / of of a pixel.
struct Between {
    int first, rest, of;
};

__device__ inline Between between(int x, int n_source, int n_target) {
    int of = 2 * n_target, at = (2 * x + 1) * n_source - n_target;
    int first = at < 0 ? -1 : at / of;
    return {first, at - first * of, of};
}

// OpenCV's linear resizing of bytes, which counts in 1/2048 px.
struct Corners2048 {
    int x0, x1, y0, y1, fx, fy;
};

__device__ inline Corners2048 corners2048(int x, int y, int source_w, int source_h, int w, int h) {
    Between column = between(x, source_w, w), row = between(y, source_h, h);
    return {clampi(column.first, 0, source_w - 1),
            clampi(column.first + 1, 0, source_w - 1),
            clampi(row.first, 0, source_h - 1),
            clampi(row.first + 1, 0, source_h - 1),
            (4096 * column.rest + column.of) / (2 * column.of),
            (4096 * row.rest + row.of) / (2 * row.of)};
}

__device__ inline unsigned char bilinear2048(int nw, int ne, int sw, int se, Corners2048 at) {
    int top = (nw * (2048 - at.fx) + ne * at.fx) >> 4, bottom = (sw * (2048 - at.fx) + se * at.fx) >> 4;
    return (unsigned char)((((2048 - at.fy) * top >> 16) + (at.fy * bottom >> 16) + 2) >> 2);
}
