// Where each pixel of the moved picture comes from, and the one resampling (render/body.py, mesh.py, warp.py).

// Forward displacement of each cell of the body's grid.
KERNEL body_displace(const Parameters* p, const float* depth, const float* head_weight, const float* oval,
                     const float* oval_weights, const int* oval_index, int n_oval, float pivot_x, float pivot_y,
                     float pivot_z, float mid_x, float mid_y, float cell_x, float cell_y, int w, int h,
                     float2* displacement) {
    if (X >= w || Y >= h) return;
    int cell = Y * w + X;
    float x = (X + 0.5f) * cell_x - 0.5f, y = (Y + 0.5f) * cell_y - 0.5f;
    const float(*r)[3] = p->head_rotation;
    float dx = x - pivot_x, dy = y - pivot_y, dz = depth[cell] - pivot_z;
    float shift_x = pivot_x + p->head_shift_px[0], shift_y = pivot_y + p->head_shift_px[1];
    float head_x = r[0][0] * dx + r[0][1] * dy + r[0][2] * dz + shift_x;
    float head_y = r[1][0] * dx + r[1][1] * dy + r[1][2] * dz + shift_y;
    for (int i = 0; i < n_oval; i++) {
        float ox = oval[3 * i] - pivot_x, oy = oval[3 * i + 1] - pivot_y, oz = oval[3 * i + 2] - pivot_z;
        const float* moved = p->landmarks_px[oval_index[i]];
        float weight = oval_weights[cell * n_oval + i];
        head_x += weight * (moved[0] - (r[0][0] * ox + r[0][1] * oy + r[0][2] * oz + shift_x));
        head_y += weight * (moved[1] - (r[1][0] * ox + r[1][1] * oy + r[1][2] * oz + shift_y));
    }
    float tx = x - mid_x, ty = y - mid_y;
    float torso_x = p->torso_linear[0][0] * tx + p->torso_linear[0][1] * ty + mid_x + p->torso_shift_px[0];
    float torso_y = p->torso_linear[1][0] * tx + p->torso_linear[1][1] * ty + mid_y + p->torso_shift_px[1];
    displacement[cell] =
        make_float2(mix(torso_x, head_x, head_weight[cell]) - x, mix(torso_y, head_y, head_weight[cell]) - y);
}

KERNEL body_smooth(const float2* displacement, const float* taps, int n_taps, const float* stillness, int w, int h,
                   float2* smooth) {
    if (X >= w || Y >= h) return;
    float sum_x = 0.f, sum_y = 0.f;
    for (int j = 0; j < n_taps; j++)
        for (int i = 0; i < n_taps; i++) {
            int at = reflect(Y + j - n_taps / 2, h) * w + reflect(X + i - n_taps / 2, w);
            float weight = taps[i] * taps[j];
            sum_x += weight * displacement[at].x;
            sum_y += weight * displacement[at].y;
        }
    float moves = 1.f - stillness[Y * w + X];
    smooth[Y * w + X] = make_float2(moves * sum_x, moves * sum_y);
}

// Source of each cell by fixed-point iteration (Chen et al. 2008), in pixels of the enlarged texture.
KERNEL body_invert(const float2* smooth, int steps, float cell_x, float cell_y, float scale, float offset_x,
                   float offset_y, int w, int h, float2* texture_from_cell) {
    if (X >= w || Y >= h) return;
    float x = (X + 0.5f) * cell_x - 0.5f, y = (Y + 0.5f) * cell_y - 0.5f;
    float source_x = x, source_y = y;
    for (int i = 0; i < steps; i++) {
        float at_x = (source_x + 0.5f) / cell_x - 0.5f, at_y = (source_y + 0.5f) / cell_y - 0.5f;
        float2 step = sample2(smooth, w, w, h, at_x, at_y);
        source_x = x - step.x;
        source_y = y - step.y;
    }
    texture_from_cell[Y * w + X] =
        make_float2((source_x + 0.5f) * scale + offset_x, (source_y + 0.5f) * scale + offset_y);
}

// One triangle: its corners in cells of the face's grid, its rank from back to front, and the affine
// maps of its source x, source y (both in the enlarged texture) and weight.
struct Triangle {
    float corner[3][2];
    float slope[3][3];
    unsigned int rank;
};

KERNEL mesh_setup(const Parameters* p, const int* vertices, const float* rest, const float* hidden,
                  const int* lid, const int* oval, int n, int n_skin, float scale, float offset_x, float offset_y,
                  Triangle* triangles) {
    if (X >= n || Y > 0 || p->face_box_px[2] == 0) return;
    Triangle* t = triangles + X;
    float grid_x = (float)p->face_cells[0] / (float)p->face_box_px[2];
    float grid_y = (float)p->face_cells[1] / (float)p->face_box_px[3];
    float value[3][3], depth = 0.f;
    for (int k = 0; k < 3; k++) {
        int corner = 3 * X + k;
        const float* at = p->landmarks_px[vertices[corner]];
        t->corner[k][0] = (at[0] - p->face_box_px[0] + 0.5f) * grid_x - 0.5f;
        t->corner[k][1] = (at[1] - p->face_box_px[1] + 0.5f) * grid_y - 0.5f;
        depth += at[2];
        float share = lid[corner] < 0 ? 0.f : p->lid_unfolding[lid[corner]];
        float x = mix(rest[3 * corner], hidden[2 * corner], share);
        float y = mix(rest[3 * corner + 1], hidden[2 * corner + 1], share);
        value[k][0] = (x + 0.5f) * scale + offset_x;
        value[k][1] = (y + 0.5f) * scale + offset_y;
        value[k][2] = oval[corner] < 0 ? rest[3 * corner + 2] : p->oval_weight[oval[corner]];
    }
    float abx = t->corner[1][0] - t->corner[0][0], aby = t->corner[1][1] - t->corner[0][1];
    float acx = t->corner[2][0] - t->corner[0][0], acy = t->corner[2][1] - t->corner[0][1];
    float determinant = abx * acy - aby * acx;
    // What fills eyes and mouth lies behind all skin that faces the viewer, so that no sliver of it shows between
    // shut lids, and skin that has turned away behind that.
    float nearness = -(depth / 3.f + (X >= n_skin ? 1e5f : determinant < 0.f ? 0.f : 2e5f));
    unsigned int bits = __float_as_uint(nearness);
    t->rank = bits & 0x80000000u ? ~bits : bits | 0x80000000u;  // floats in the order of integers
    float inverse = 1.f / (fabsf(determinant) < 1e-6f ? 1e-6f : determinant);
    for (int a = 0; a < 3; a++) {
        float ab = value[1][a] - value[0][a], ac = value[2][a] - value[0][a];
        t->slope[a][0] = (ab * acy - ac * aby) * inverse;
        t->slope[a][1] = (ac * abx - ab * acx) * inverse;
        t->slope[a][2] = value[0][a] - t->slope[a][0] * t->corner[0][0] - t->slope[a][1] * t->corner[0][1];
    }
}

KERNEL mesh_clear(unsigned long long* front, int side) {
    if (X < side && Y < side) front[Y * side + X] = 0;
}

// How far a cell's centre lies inside an edge, along the edge's minor axis.
__device__ inline float inside_edge(const float a[2], const float b[2], float x, float y, float side) {
    float dx = b[0] - a[0], dy = b[1] - a[1];
    float length = fmaxf(fmaxf(fabsf(dx), fabsf(dy)), 1e-6f);
    return side * (dx * (y - a[1]) - dy * (x - a[0])) / length;
}

// Row Y is a triangle, X one of `lanes` threads that share its cells. The nearest triangle wins a cell;
// of equals, the later one, as when drawn in order.
KERNEL mesh_raster(const Parameters* p, const Triangle* triangles, int n, int lanes, unsigned long long* front) {
    if (X >= lanes || Y >= n) return;
    const Triangle* t = triangles + Y;
    const float *a = t->corner[0], *b = t->corner[1], *c = t->corner[2];
    int w = p->face_cells[0], h = p->face_cells[1];
    int x0 = clampi((int)floorf(fminf(a[0], fminf(b[0], c[0])) + 0.5f), 0, w);
    int y0 = clampi((int)floorf(fminf(a[1], fminf(b[1], c[1])) + 0.5f), 0, h);
    int x1 = clampi((int)floorf(fmaxf(a[0], fmaxf(b[0], c[0])) + 0.5f), -1, w - 1);
    int y1 = clampi((int)floorf(fmaxf(a[1], fmaxf(b[1], c[1])) + 0.5f), -1, h - 1);
    float side = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) < 0.f ? -1.f : 1.f;
    unsigned long long key = (unsigned long long)t->rank << 32 | (unsigned int)(Y + 1);
    int columns = x1 - x0 + 1, cells = columns * (y1 - y0 + 1);
    for (int i = X; i < cells; i += lanes) {
        int x = x0 + i % columns, y = y0 + i / columns;
        if (inside_edge(a, b, x, y, side) >= 0.f && inside_edge(b, c, x, y, side) >= 0.f &&
            inside_edge(c, a, x, y, side) >= 0.f)
            atomicMax(&front[y * w + x], key);
    }
}

// The body's map between its cells, and straight on beyond them, as `coarse_flow.enlarged`.
__device__ inline float2 body_at(const float2* texture_from_cell, int w, int h, float x, float y) {
    Corners c;
    c.x0 = clampi((int)floorf(x), 0, w - 2);
    c.y0 = clampi((int)floorf(y), 0, h - 2);
    c.x1 = c.x0 + 1;
    c.y1 = c.y0 + 1;
    c.fx = x - c.x0;
    c.fy = y - c.y0;
    float2 nw = texture_from_cell[c.y0 * w + c.x0], ne = texture_from_cell[c.y0 * w + c.x1];
    float2 sw = texture_from_cell[c.y1 * w + c.x0], se = texture_from_cell[c.y1 * w + c.x1];
    return make_float2(bilinear(nw.x, ne.x, sw.x, se.x, c), bilinear(nw.y, ne.y, sw.y, se.y, c));
}

// Face inside, body outside, on the face's grid; they meet at the face oval.
KERNEL face_blend(const Parameters* p, const Triangle* triangles, const unsigned long long* front,
                  const float2* texture_from_cell, int body_w, int body_h, int w, int h,
                  float2* texture_from_face) {
    int columns = p->face_cells[0];
    if (X >= columns || Y >= p->face_cells[1]) return;
    const int* box = p->face_box_px;
    float per_x = (float)body_w / w, per_y = (float)body_h / h;
    float step_x = (float)box[2] / columns * per_x, step_y = (float)box[3] / p->face_cells[1] * per_y;
    float2 outside = body_at(texture_from_cell, body_w, body_h, box[0] * per_x + (X + 0.5f) * step_x - 0.5f,
                             box[1] * per_y + (Y + 0.5f) * step_y - 0.5f);
    unsigned int number = (unsigned int)front[Y * columns + X];
    float2 source = outside;
    if (number) {
        const float(*slope)[3] = triangles[number - 1].slope;
        float weight = slope[2][0] * X + slope[2][1] * Y + slope[2][2];
        source.x = mix(outside.x, slope[0][0] * X + slope[0][1] * Y + slope[0][2], weight);
        source.y = mix(outside.y, slope[1][0] * X + slope[1][1] * Y + slope[1][2], weight);
    }
    texture_from_face[Y * columns + X] = source;
}

// Where a pixel comes from, in the enlarged texture.
__device__ inline float2 flow_at(const Parameters* p, const float2* texture_from_cell, int body_w, int body_h,
                                 const float2* texture_from_face, int column, int row, int w, int h) {
    const int *box = p->face_box_px, *cells = p->face_cells;
    if (in_box(box, column, row)) {
        float x = (column - box[0] + 0.5f) * cells[0] / box[2] - 0.5f;
        float y = (row - box[1] + 0.5f) * cells[1] / box[3] - 0.5f;
        return sample2(texture_from_face, cells[0], cells[0], cells[1], x, y);
    }
    float x = (column + 0.5f) * body_w / w - 0.5f, y = (row + 0.5f) * body_h / h - 0.5f;
    return body_at(texture_from_cell, body_w, body_h, x, y);
}

KERNEL warp(const Parameters* p, const uchar4* texture, int texture_w, int texture_h,
            const float2* texture_from_cell, int body_w, int body_h, const float2* texture_from_face, int w, int h,
            uchar4* moved) {
    if (X >= w || Y >= h) return;
    float2 at = flow_at(p, texture_from_cell, body_w, body_h, texture_from_face, X, Y, w, h);
    moved[Y * w + X] = rounded(sample4(texture, texture_w, texture_h, at.x, at.y));
}
