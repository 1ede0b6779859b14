// Light and shade that an expression moves (render/flesh.py).

// The ratio image over the face at rest, in bytes.
KERNEL flesh_sum(const Parameters* p, const float* maps, int n, int cells, unsigned char* ratio) {
    if (X >= cells || Y > 0 || !p->flesh_driven) return;
    float sum = 0.f;
    for (int i = 0; i < n; i++) sum += maps[i * cells + X] * p->flesh_drive[i];
    ratio[X] = to_u8(clampf(sum + 128.f, 1.f, 255.f));
}

__device__ inline float ratio_at(const unsigned char* ratio, int w, int h, int x, int y) {
    return x < 0 || y < 0 || x >= w || y >= h ? 128.f : ratio[y * w + x];
}

KERNEL flesh_draw(const Parameters* p, const unsigned long long* front, const float2* texture_from_cell, int body_w,
                  int body_h, const float2* texture_from_face, const unsigned char* ratio, int cells_w, int cells_h,
                  float per_x, float from_x, float per_y, float from_y, const uchar4* gains, float one, int w, int h,
                  uchar4* moved) {
    if (X >= w || Y >= h || !p->flesh_driven || !in_box(p->face_box_px, X, Y)) return;
    if (!(unsigned int)front[face_cell(p, X, Y)]) return;
    float2 at = flow_at(p, texture_from_cell, body_w, body_h, texture_from_face, X, Y, w, h);
    float x = clampf(per_x * at.x + from_x, -2.f, cells_w + 1.f), y = clampf(per_y * at.y + from_y, -2.f, cells_h + 1.f);
    float left = floorf(x), top = floorf(y), fx = x - left, fy = y - top;
    int x0 = (int)left, y0 = (int)top;
    float upper = mix(ratio_at(ratio, cells_w, cells_h, x0, y0), ratio_at(ratio, cells_w, cells_h, x0 + 1, y0), fx);
    float lower =
        mix(ratio_at(ratio, cells_w, cells_h, x0, y0 + 1), ratio_at(ratio, cells_w, cells_h, x0 + 1, y0 + 1), fx);
    uchar4 gain = gains[to_u8(mix(upper, lower, fy))], *pixel = &moved[Y * w + X];
    pixel->x = to_u8(pixel->x * (float)gain.x / one);
    pixel->y = to_u8(pixel->y * (float)gain.y / one);
    pixel->z = to_u8(pixel->z * (float)gain.z / one);
}
