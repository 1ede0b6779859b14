// Clean edges where the moved face folds (render/folds.py, fold_sides.py).

// A row or column of pixels that crosses a fold; places on it are counted towards what lies behind.
struct Fold {
    int front, back, step, before, after, strayed, bare;
    float centre, reach, slope, weight;
    float source_x, source_y;
};

__device__ inline int face_cell(const Parameters* p, float x, float y) {
    const int *box = p->face_box_px, *cells = p->face_cells;
    int column = (int)rintf((x - (box[0] - 0.5f)) * ((float)cells[0] / box[2]) - 0.5f);
    int row = (int)rintf((y - (box[1] - 0.5f)) * ((float)cells[1] / box[3]) - 0.5f);
    return clampi(row, 0, cells[1] - 1) * cells[0] + clampi(column, 0, cells[0] - 1);
}

// Whether nothing hides a fold: some skin before it comes from about where it does.
__device__ inline bool fold_seen(const Parameters* p, const Triangle* triangles, const unsigned long long* front,
                                 const float* crossing, float cell_px, float near) {
    const float probes[2] = {0.4f, 1.1f};
    for (int i = 0; i < 2; i++) {
        float place = crossing[4] - crossing[1] * (probes[i] * cell_px);
        bool upright = crossing[0] > 0.f;
        int cell = face_cell(p, upright ? crossing[3] : place, upright ? place : crossing[3]);
        unsigned int number = (unsigned int)front[cell];
        if (!number) continue;
        const float(*slope)[3] = triangles[number - 1].slope;
        int column = cell % p->face_cells[0], row = cell / p->face_cells[0];
        float dx = slope[0][0] * column + slope[0][1] * row + slope[0][2] - crossing[5];
        float dy = slope[1][0] * column + slope[1][1] * row + slope[1][2] - crossing[6];
        if (sqrtf(dx * dx + dy * dy) < near) return true;
    }
    return false;
}

KERNEL fold_clear(unsigned long long* newest, int w, int h) {
    if (X < w && Y < h) newest[Y * w + X] = 0;
}

// What each crossing has on its sides, and the pixels between them that it claims; the later ones are nearer.
KERNEL fold_claim(const Parameters* p, const Triangle* triangles, const unsigned long long* front,
                  const float2* texture_from_cell, int body_w, int body_h, const float2* texture_from_face, float scale,
                  float near, float jump_px, float soft_px, int w, int h, Fold* folds, unsigned long long* newest) {
    if (X >= p->fold_count || Y > 0) return;
    const float* c = p->folds[X];
    Fold* fold = folds + X;
    fold->weight = 0.f;
    float cell_px = (float)p->face_box_px[2] / p->face_cells[0];
    if (!fold_seen(p, triangles, front, c, cell_px, near)) return;
    bool upright = c[0] > 0.f;
    float side = c[1], reach = cell_px * (1.f + fabsf(c[2])), centre = side * c[4];
    float before = floorf(centre - reach), after = ceilf(centre + reach);
    float lowest = fminf(side * before, side * after), highest = fmaxf(side * before, side * after);
    if (!(lowest > 0.f && highest < (upright ? h : w) - 1 && c[3] >= 0.f && c[3] < (upright ? w : h))) return;
    int line = (int)c[3], step = (int)side * (upright ? w : 1), start = upright ? line : line * w;
    int ahead = start + (int)before * step, behind = start + (int)after * step;
    float2 from = flow_at(p, texture_from_cell, body_w, body_h, texture_from_face, ahead % w, ahead / w, w, h);
    float2 back = flow_at(p, texture_from_cell, body_w, body_h, texture_from_face, behind % w, behind / w, w, h);
    float source_x = back.x + c[7] * (c[5] - back.x), source_y = back.y + c[7] * (c[6] - back.y);
    float own_x = back.x - source_x, own_y = back.y - source_y, apart_x = back.x - from.x, apart_y = back.y - from.y;
    float jump = fminf(sqrtf(own_x * own_x + own_y * own_y) - scale * reach,
                       sqrtf(apart_x * apart_x + apart_y * apart_y) - scale * (after - before));
    float weight = clampf((jump / scale - jump_px) / soft_px, 0.f, 1.f);
    if (weight <= 0.f) return;
    float dx = from.x - source_x, dy = from.y - source_y;
    int x = behind % w, y = behind / w;
    bool bare = !in_box(p->face_box_px, x, y) || !(unsigned int)front[face_cell(p, x, y)];
    *fold = {ahead,  behind, step,  (int)before, (int)after, sqrtf(dx * dx + dy * dy) > near, bare,
             centre, reach,  c[2], weight,      source_x,   source_y};
    for (int i = ahead + step; i != behind; i += step) atomicMax(&newest[i], (unsigned long long)(X + 1));
}

__device__ inline float4 mix4(float4 a, float4 b, float t) {
    return make_float4(mix(a.x, b.x, t), mix(a.y, b.y, t), mix(a.z, b.z, t), mix(a.w, b.w, t));
}

__device__ inline float4 pixel4(uchar4 v) { return make_float4(v.x, v.y, v.z, v.w); }

// The claimed pixels, beside the picture, which is still to be read.
KERNEL fold_draw(const Parameters* p, const Fold* folds, const unsigned long long* newest, const uchar4* texture,
                 int texture_w, int texture_h, const float2* texture_from_cell, int body_w, int body_h, int w, int h,
                 const uchar4* moved, uchar4* mended) {
    if (X >= w || Y >= h) return;
    int here = Y * w + X, number = (int)newest[here];
    if (!number) return;
    Fold f = folds[number - 1];
    float on = (float)((here - f.front) / f.step);
    float4 edge = pixel4(rounded(sample4(texture, texture_w, texture_h, f.source_x, f.source_y)));
    float4 skin = f.strayed ? edge
                            : mix4(pixel4(moved[f.front]), pixel4(moved[f.front - f.step]),
                                   f.before - f.centre + f.reach + 1.f);
    float inward = f.centre - f.before;
    float covered = clampf(0.5f - (on - inward) / sqrtf(1.f + f.slope * f.slope), 0.f, 1.f);
    float4 one = mix4(skin, edge, fminf(on / inward, 1.f)), other;
    if (f.bare) {
        float2 at = sample2(texture_from_cell, body_w, body_w, body_h, (X + 0.5f) * body_w / w - 0.5f,
                            (Y + 0.5f) * body_h / h - 0.5f);
        other = pixel4(rounded(sample4(texture, texture_w, texture_h, at.x, at.y)));
    } else {
        other = mix4(pixel4(moved[f.back]), pixel4(moved[f.back + f.step]), f.centre + f.reach + 1.f - f.after);
    }
    mended[here] = rounded(mix4(pixel4(moved[here]), mix4(other, one, covered), f.weight));
}

KERNEL fold_place(const unsigned long long* newest, const uchar4* mended, int w, int h, uchar4* moved) {
    if (X < w && Y < h && newest[Y * w + X]) moved[Y * w + X] = mended[Y * w + X];
}
