// The puppet on its canvas: resized, before a background, labelled (compose/).

// A part of the moved portrait at the canvas's scale. Midway between pixels, linear sampling is the
// average of 2x2 just as OpenCV rounds it.
KERNEL show_linear(const uchar4* moved, int stride, int u, int v, int source_w, int source_h, int w, int h,
                   uchar4* shown) {
    if (X >= w || Y >= h) return;
    Corners2048 at = corners2048(X, Y, source_w, source_h, w, h);
    const uchar4 *top = moved + (v + at.y0) * stride + u, *bottom = moved + (v + at.y1) * stride + u;
    uchar4 nw = top[at.x0], ne = top[at.x1], sw = bottom[at.x0], se = bottom[at.x1];
    shown[Y * w + X] =
        make_uchar4(bilinear2048(nw.x, ne.x, sw.x, se.x, at), bilinear2048(nw.y, ne.y, sw.y, se.y, at),
                    bilinear2048(nw.z, ne.z, sw.z, se.z, at), bilinear2048(nw.w, ne.w, sw.w, se.w, at));
}

__device__ inline void add_weighted(float4* sum, uchar4 pixel, float weight) {
    sum->x += weight * pixel.x;
    sum->y += weight * pixel.y;
    sum->z += weight * pixel.z;
    sum->w += weight * pixel.w;
}

// Keys' cubic with a = -0.75 at a distance of up to 2.
__device__ inline float cubic(float d) {
    const float a = -0.75f;
    return d <= 1.f ? ((a + 2.f) * d - (a + 3.f)) * d * d + 1.f : ((a * d - 5.f * a) * d + 8.f * a) * d - 4.f * a;
}

KERNEL show_cubic(const uchar4* moved, int stride, int u, int v, int source_w, int source_h, int w, int h,
                  uchar4* shown) {
    if (X >= w || Y >= h) return;
    Between column = between(X, source_w, w), row = between(Y, source_h, h);
    float fx = (float)column.rest / column.of, fy = (float)row.rest / row.of;
    float4 sum = make_float4(0.f, 0.f, 0.f, 0.f);
    for (int j = -1; j <= 2; j++)
        for (int i = -1; i <= 2; i++) {
            int x = clampi(column.first + i, 0, source_w - 1), y = clampi(row.first + j, 0, source_h - 1);
            add_weighted(&sum, moved[(v + y) * stride + u + x], cubic(fabsf(i - fx)) * cubic(fabsf(j - fy)));
        }
    shown[Y * w + X] = rounded(sum);
}

// How much of source pixel i target pixel x covers, in 1/n_target of a source pixel.
__device__ inline int overlap(int x, int i, int n_source, int n_target) {
    int start = x * n_source, stop = start + n_source;
    int left = i * n_target, right = left + n_target;
    return (stop < right ? stop : right) - (start > left ? start : left);
}

KERNEL show_area(const uchar4* moved, int stride, int u, int v, int source_w, int source_h, int w, int h,
                 uchar4* shown) {
    if (X >= w || Y >= h) return;
    int x0 = X * source_w / w, x1 = ((X + 1) * source_w - 1) / w;
    int y0 = Y * source_h / h, y1 = ((Y + 1) * source_h - 1) / h;
    float area = (float)source_w * (float)source_h;
    float4 sum = make_float4(0.f, 0.f, 0.f, 0.f);
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            int share = overlap(X, x, source_w, w) * overlap(Y, y, source_h, h);
            add_weighted(&sum, moved[(v + y) * stride + u + x], (float)share / area);
        }
    shown[Y * w + X] = rounded(sum);
}

// A premultiplied pixel over an opaque one.
__device__ inline void lay_over(uchar4 rgba, const unsigned char* behind, unsigned char* out) {
    unsigned char clear = 255 - rgba.w;
    out[0] = (unsigned char)clampi(scaled(behind[0], clear) + rgba.x, 0, 255);
    out[1] = (unsigned char)clampi(scaled(behind[1], clear) + rgba.y, 0, 255);
    out[2] = (unsigned char)clampi(scaled(behind[2], clear) + rgba.z, 0, 255);
}

KERNEL lay_puppet(const uchar4* shown, int left, int top, int shown_w, int shown_h, const unsigned char* behind,
                  int mirror, int w, int h, unsigned char* canvas) {
    if (X >= w || Y >= h) return;
    int x = mirror ? w - 1 - X : X, at = 3 * (Y * w + X);
    int column = x - left, row = Y - top;
    bool is_puppet = column >= 0 && row >= 0 && column < shown_w && row < shown_h;
    uchar4 rgba = is_puppet ? shown[row * shown_w + column] : make_uchar4(0, 0, 0, 0);
    lay_over(rgba, behind + 3 * (Y * w + x), canvas + at);
}

KERNEL stamp_label(const Parameters* p, const unsigned short* ink, const unsigned short* clear, int left, int top,
                   int w, int h, int canvas_w, unsigned char* canvas) {
    if (X >= w || Y >= h || !p->label_shown) return;
    int i = Y * w + X;
    unsigned char* pixel = canvas + 3 * ((top + Y) * canvas_w + left + X);
    for (int c = 0; c < 3; c++) pixel[c] = (unsigned char)((ink[3 * i + c] + clear[i] * pixel[c] + 127) / 255);
}
