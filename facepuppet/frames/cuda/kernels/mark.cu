// The invisible mark and the pixel format of cameras (watermark/mark.py, watermark/mask.py).

// OpenCV's RGB to grey and to I420 in fixed point.
__device__ inline unsigned char grey_of(int r, int g, int b) {
    return (unsigned char)((9798 * r + 19235 * g + 3735 * b + (1 << 14)) >> 15);
}

__device__ inline unsigned char studio(int r, int g, int b, int from_r, int from_g, int from_b, int zero) {
    return (unsigned char)((from_r * r + from_g * g + from_b * b + (zero << 20) + (1 << 19)) >> 20);
}

KERNEL mark_reduce(const unsigned char* canvas, int canvas_w, int canvas_h, int w, int h, unsigned char* luma) {
    if (X >= w || Y >= h) return;
    Corners2048 at = corners2048(X, Y, canvas_w, canvas_h, w, h);
    const unsigned char *top = canvas + 3 * at.y0 * canvas_w, *bottom = canvas + 3 * at.y1 * canvas_w;
    unsigned char rgb[3];
    for (int c = 0; c < 3; c++)
        rgb[c] = bilinear2048(top[3 * at.x0 + c], top[3 * at.x1 + c], bottom[3 * at.x0 + c], bottom[3 * at.x1 + c], at);
    luma[Y * w + X] = grey_of(rgb[0], rgb[1], rgb[2]);
}

// Mean of a window with an odd side, to the nearest; the picture is mirrored beyond its border.
__device__ inline int box_mean(const unsigned char* picture, int w, int h, int side) {
    int sum = 0, n = side * side;
    for (int j = -(side / 2); j <= side / 2; j++)
        for (int i = -(side / 2); i <= side / 2; i++) sum += picture[reflect(Y + j, h) * w + reflect(X + i, w)];
    return (sum + n / 2) / n;
}

KERNEL mark_mean(const unsigned char* luma, int side, int w, int h, unsigned char* mean, unsigned char* departure) {
    if (X >= w || Y >= h) return;
    int at = Y * w + X, average = box_mean(luma, w, h, side);
    mean[at] = (unsigned char)average;
    departure[at] = (unsigned char)(luma[at] > average ? luma[at] - average : average - luma[at]);
}

KERNEL mark_activity(const unsigned char* departure, int side, int w, int h, unsigned char* activity) {
    if (X < w && Y < h) activity[Y * w + X] = (unsigned char)box_mean(departure, w, h, side);
}

// The least of a window; beyond the border nothing counts.
KERNEL mark_calm(const unsigned char* activity, int side, int w, int h, unsigned char* calm) {
    if (X >= w || Y >= h) return;
    int least = 255;
    for (int y = clampi(Y - side / 2, 0, h - 1); y <= clampi(Y + side / 2, 0, h - 1); y++)
        for (int x = clampi(X - side / 2, 0, w - 1); x <= clampi(X + side / 2, 0, w - 1); x++)
            least = activity[y * w + x] < least ? activity[y * w + x] : least;
    calm[Y * w + X] = (unsigned char)least;
}

// The delta in parts of a grey level above `zero`.
KERNEL mark_steps(const Parameters* p, const unsigned char* calm, const unsigned char* mean, const float* real,
                  const float* imaginary, int side, float flat_rms, float rms_per_activity, float texture_rms,
                  float dark_level, float dark_share, int shift, int zero, int w, int h, unsigned char* steps) {
    if (X >= w || Y >= h) return;
    int at = Y * w + X;
    float gain = fminf(flat_rms + rms_per_activity * box_mean(calm, w, h, side), texture_rms);
    float adaptation = fminf(dark_share + mean[at] * ((1.f - dark_share) / dark_level), 1.f);
    float wave = real[at] * p->carrier_turn[0] + imaginary[at] * p->carrier_turn[1];
    steps[at] = to_u8(wave * (gain * adaptation * (1 << shift)) + zero);
}

// Adds the delta to the canvas and writes what goes out: the picture as RGB; where its sides are even, as
// I420 too, with the chroma of each block's first pixel, like OpenCV; then the frame's number, four bytes.
KERNEL mark_add(const Parameters* p, const unsigned char* canvas, const unsigned char* steps, int steps_w,
                int steps_h, const unsigned char* dither, int shift, int zero, int w, int h, unsigned char* out) {
    if (X >= w || Y >= h) return;
    Corners2048 at = corners2048(X, Y, steps_w, steps_h, w, h);
    const unsigned char *top = steps + at.y0 * steps_w, *bottom = steps + at.y1 * steps_w;
    int i = Y * w + X, n = w * h, step = bilinear2048(top[at.x0], top[at.x1], bottom[at.x0], bottom[at.x1], at);
    int delta = (clampi(step + dither[i], 0, 255) >> shift) - (zero >> shift);
    int rgb[3];
    for (int c = 0; c < 3; c++) {
        rgb[c] = clampi(canvas[3 * i + c] + delta, 0, 255);
        out[3 * i + c] = (unsigned char)rgb[c];
    }
    bool is_even = w % 2 == 0 && h % 2 == 0;
    unsigned char *luma = out + 3 * n, *number = is_even ? luma + n + n / 2 : luma;
    if (is_even) luma[i] = studio(rgb[0], rgb[1], rgb[2], 269484, 528482, 102760, 16);
    if (is_even && X % 2 == 0 && Y % 2 == 0) {
        unsigned char* u = luma + n + (Y / 2) * (w / 2) + X / 2;
        u[0] = studio(rgb[0], rgb[1], rgb[2], -155188, -305135, 460324, 128);
        u[n / 4] = studio(rgb[0], rgb[1], rgb[2], 460324, -385875, -74448, 128);
    }
    if (i == 0)
        for (int byte = 0; byte < 4; byte++) number[byte] = (unsigned char)(p->mark_number >> (8 * byte));
}
