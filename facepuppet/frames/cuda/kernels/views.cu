// What a portrait's further pictures show better (render/view_face.py, view_parts.py).

__device__ inline void lay_over(uchar4* below, uchar4 layer) {
    unsigned char clear = 255 - layer.w;
    below->x = (unsigned char)min(scaled(below->x, clear) + layer.x, 255);
    below->y = (unsigned char)min(scaled(below->y, clear) + layer.y, 255);
    below->z = (unsigned char)min(scaled(below->z, clear) + layer.z, 255);
    below->w = (unsigned char)min(scaled(below->w, clear) + layer.w, 255);
}

__device__ inline float2 in_cells(const Parameters* p, int x, int y) {
    const int *box = p->face_box_px, *cells = p->face_cells;
    return make_float2((x - box[0] + 0.5f) * cells[0] / box[2] - 0.5f, (y - box[1] + 0.5f) * cells[1] / box[3] - 0.5f);
}

// Skin of the face, through the flow that the portrait itself takes; textures are (views, h, w).
KERNEL view_face(const Parameters* p, const float2* texture_from_face, const uchar4* textures, int texture_w,
                 int texture_h, float left, float top, int w, uchar4* moved) {
    const int *box = p->face_box_px, *cells = p->face_cells;
    if (X >= box[2] || Y >= box[3] || p->view_number[0][0] < 0) return;
    int x = X + box[0], y = Y + box[1];
    float2 cell = in_cells(p, x, y);
    float2 at = sample2(texture_from_face, cells[0], cells[0], cells[1], cell.x, cell.y);
    at.x -= left;
    at.y -= top;
    if (!(at.x > 0.f && at.y > 0.f && at.x < texture_w - 1 && at.y < texture_h - 1)) return;
    uchar4 total = make_uchar4(0, 0, 0, 0);
    for (int k = 0; k < 3 && p->view_number[0][k] >= 0; k++) {
        const uchar4* texture = textures + p->view_number[0][k] * texture_w * texture_h;
        uchar4 skin = rounded(sample4(texture, texture_w, texture_h, at.x, at.y));
        float share = p->view_share[0][k];
        total.x = to_u8(share * skin.x + total.x);
        total.y = to_u8(share * skin.y + total.y);
        total.z = to_u8(share * skin.z + total.z);
        total.w = to_u8(share * skin.w + total.w);
    }
    lay_over(&moved[y * w + x], total);
}

// Place in a view's texture and use there, at a cell that some triangle of the part is seen in.
__device__ inline bool view_place(const Triangle* t, const float* source, float x, float y, float out[3]) {
    float abx = t->corner[1][0] - t->corner[0][0], aby = t->corner[1][1] - t->corner[0][1];
    float acx = t->corner[2][0] - t->corner[0][0], acy = t->corner[2][1] - t->corner[0][1];
    float determinant = abx * acy - aby * acx;
    if (fabsf(determinant) < 1e-6f) return false;
    float px = x - t->corner[0][0], py = y - t->corner[0][1];
    float b = (px * acy - py * acx) / determinant, c = (py * abx - px * aby) / determinant;
    for (int a = 0; a < 3; a++)
        out[a] = source[a] + b * (source[3 + a] - source[a]) + c * (source[6 + a] - source[a]);
    return true;
}

// One part of the face. Sources are (views, triangles, 3, 3); kind is 0 outside the part, 1 for skin, 2 for
// what fills the opening; pictures are offset, width and height of each view's texture.
KERNEL view_part(const Parameters* p, int layer, const Triangle* triangles, int n, const unsigned long long* front,
                 const float* sources, const int* kind, int interior, const uchar4* textures, const int* pictures,
                 int w, uchar4* moved) {
    const int *box = p->face_box_px, *cells = p->face_cells;
    if (X >= box[2] || Y >= box[3] || p->view_number[layer][0] < 0) return;
    int x = X + box[0], y = Y + box[1];
    float2 cell = in_cells(p, x, y);
    Corners c = corners_of(cell.x, cell.y, cells[0], cells[1]);
    int number[4] = {(int)(unsigned int)front[c.y0 * cells[0] + c.x0], (int)(unsigned int)front[c.y0 * cells[0] + c.x1],
                     (int)(unsigned int)front[c.y1 * cells[0] + c.x0], (int)(unsigned int)front[c.y1 * cells[0] + c.x1]};
    float weight[4] = {(1.f - c.fx) * (1.f - c.fy), c.fx * (1.f - c.fy), (1.f - c.fx) * c.fy, c.fx * c.fy};
    for (int k = 0; k < 3 && p->view_number[layer][k] >= 0; k++) {
        int view = p->view_number[layer][k];
        float place_x = 0.f, place_y = 0.f, use = 0.f, seen = 0.f;
        for (int i = 0; i < 4; i++) {
            int triangle = number[i] - 1;
            float at[3];
            if (triangle < 0 || kind[triangle] == 0 || weight[i] <= 0.f) continue;
            if (!view_place(triangles + triangle, sources + 9 * (view * n + triangle), i & 1 ? c.x1 : c.x0,
                            i & 2 ? c.y1 : c.y0, at))
                continue;
            if (interior && kind[triangle] == 2) at[2] = p->view_interior[view];
            place_x += weight[i] * at[0];
            place_y += weight[i] * at[1];
            use += weight[i] * at[2];
            seen += weight[i];
        }
        unsigned char coverage = to_u8(255.f * p->view_share[layer][k] * use);
        if (seen <= 0.f || coverage == 0) continue;
        const int* picture = pictures + 3 * view;
        uchar4 colour = rounded(sample4(textures + picture[0], picture[1], picture[2], place_x / seen, place_y / seen));
        lay_over(&moved[y * w + x], make_uchar4(scaled(colour.x, coverage), scaled(colour.y, coverage),
                                                scaled(colour.z, coverage), coverage));
    }
}
