// Mouth interior, eyeballs and lids (render/mouth.py, eyes.py, lid_layer.py). Coverage lies in a plane as
// large as the picture, of which only the feature's box is used; borders are the box's.

#define BOX_X (X + box[0])
#define BOX_Y (Y + box[1])

KERNEL mouth_cover(const Parameters* p, const int* lips, int n, int w, unsigned char* plane) {
    const int* box = p->mouth_box_px;
    if (X >= box[2] || Y >= box[3]) return;
    Outline outline = {&p->landmarks_px[0][0], 3, lips, n};
    plane[Y * w + X] = outline_coverage(outline, (float)BOX_X, (float)BOX_Y);
}

__device__ inline int eroded(const unsigned char* plane, int stride, int w, int h, int x, int y) {
    int least = plane[y * stride + x];
    if (x > 0) least = min(least, (int)plane[y * stride + x - 1]);
    if (x < w - 1) least = min(least, (int)plane[y * stride + x + 1]);
    if (y > 0) least = min(least, (int)plane[(y - 1) * stride + x]);
    if (y < h - 1) least = min(least, (int)plane[(y + 1) * stride + x]);
    return least;
}

// Slivers between touching lips are not an opening.
KERNEL mouth_soften(const Parameters* p, const unsigned char* plane, int stride, unsigned char* soft) {
    int w = p->mouth_box_px[2], h = p->mouth_box_px[3];
    if (X >= w || Y >= h) return;
    int sum = 0;
    for (int j = -1; j <= 1; j++)
        for (int i = -1; i <= 1; i++) sum += eroded(plane, stride, w, h, reflect(X + i, w), reflect(Y + j, h));
    soft[Y * stride + X] = to_u8(sum / 9.f);
}

__device__ inline int odd_taps(float share, int n) { return max(3, (int)(share * n)) | 1; }

KERNEL mouth_shade(const Parameters* p, const unsigned char* soft, int stride, float* across) {
    int w = p->mouth_box_px[2];
    if (X >= w || Y >= p->mouth_box_px[3]) return;
    int taps = odd_taps(0.25f, w), sum = 0;
    for (int i = -(taps / 2); i <= taps / 2; i++) sum += soft[Y * stride + reflect(X + i, w)];
    across[Y * stride + X] = (float)sum / taps;
}

__device__ inline uchar4 shaded(uchar4 c, unsigned char shade) {
    return make_uchar4(scaled(c.x, shade), scaled(c.y, shade), scaled(c.z, shade), c.w);
}

__device__ inline uchar4 over(uchar4 below, uchar4 above) {
    unsigned char clear = 255 - above.w;
    return make_uchar4((unsigned char)min(scaled(below.x, clear) + above.x, 255),
                       (unsigned char)min(scaled(below.y, clear) + above.y, 255),
                       (unsigned char)min(scaled(below.z, clear) + above.z, 255), 255);
}

// One layer of the mouth (render/relief.py): its columns are looked up, and its rows shifted by them.
__device__ inline uchar4 mouth_layer(const Parameters* p, int layer, const uchar4* pixels, const int* layout) {
    float2 at = affine(p->columns_from_mouth_box[layer], (float)X, (float)Y);
    const float(*columns)[3] = p->mouth_columns[layer];
    int last = (int)(sizeof(p->mouth_columns[0]) / sizeof(p->mouth_columns[0][0])) - 1;
    float entry = clampf(at.x, 0.f, (float)last);
    int i = min((int)entry, last - 1);
    float t = entry - i;
    const int* place = layout + 3 * layer;
    float column = mix(columns[i][0], columns[i + 1][0], t);
    float row = at.y + mix(columns[i][1], columns[i + 1][1], t);
    uchar4 c = rounded(sample4(pixels + place[0], place[1], place[2], column, row));
    unsigned char seen = to_u8(255.f * mix(columns[i][2], columns[i + 1][2], t));
    return make_uchar4(scaled(c.x, seen), scaled(c.y, seen), scaled(c.z, seen), scaled(c.w, seen));
}

KERNEL mouth_draw(const Parameters* p, const unsigned char* soft, const float* across, const uchar4* pixels,
                  const int* layout, int layers, int own_teeth, int w, uchar4* moved) {
    const int* box = p->mouth_box_px;
    if (X >= box[2] || Y >= box[3]) return;
    uchar4 front = mouth_layer(p, 0, pixels, layout);
    for (int i = 1; i < layers; i++) front = over(front, mouth_layer(p, i, pixels, layout));
    if (!own_teeth) {
        int taps = odd_taps(0.5f, box[3]);
        float sum = 0.f;
        for (int j = -(taps / 2); j <= taps / 2; j++) sum += across[reflect(Y + j, box[3]) * w + X];
        front = shaded(front, to_u8(0.75f * rintf(sum / taps) + 70.f));
    }
    unsigned char share = soft[Y * w + X];
    if (p->mouth_strength < 1.f) share = to_u8(p->mouth_strength * share);
    blend_into(&moved[BOX_Y * w + BOX_X], front, share);
}

KERNEL eye_cover(const Parameters* p, int eye, int w, unsigned char* plane) {
    const int* box = p->eye_box_px[eye];
    if (X >= box[2] || Y >= box[3]) return;
    Outline outline = {&p->eye_outline_px[eye][0][0], 2, 0, 16};
    plane[Y * w + X] = outline_coverage(outline, (float)BOX_X, (float)BOX_Y);
}

KERNEL eye_draw(const Parameters* p, int eye, const unsigned char* plane, const uchar4* sclera, int sclera_w,
                int sclera_h, const uchar4* iris, int iris_w, int iris_h, int w, uchar4* moved) {
    const int* box = p->eye_box_px[eye];
    if (X >= box[2] || Y >= box[3]) return;
    float2 in_sclera = affine(p->sclera_from_eye_box[eye], (float)X, (float)Y);
    float2 in_iris = affine(p->iris_from_eye_box[eye], (float)X, (float)Y);
    uchar4 colour = over(rounded(sample4(sclera, sclera_w, sclera_h, in_sclera.x, in_sclera.y)),
                         rounded(sample4(iris, iris_w, iris_h, in_iris.x, in_iris.y)));
    float closing = p->eye_closing[eye];
    if (closing > 0.05f) {
        int taps = odd_taps(0.4f, box[3]), sum = 0;
        for (int j = -(taps / 2); j <= taps / 2; j++) sum += plane[reflect(Y + j, box[3]) * w + X];
        float shadow = 0.55f * closing;
        colour = shaded(colour, to_u8(shadow * rintf((float)sum / taps) + 255.f * (1.f - shadow)));
    }
    unsigned char share = plane[Y * w + X];
    if (p->eye_fade[eye] < 1.f) share = to_u8(p->eye_fade[eye] * share);
    blend_into(&moved[BOX_Y * w + BOX_X], colour, share);
}

// A lid's skin (part 0), as it appears from under the fold, or its lash line (1); both are laid along the moved rim. Curves
// run from u = -side to 1 + side; pictures begin that much beside the corner, and `above` over the rim.
KERNEL lid_draw(const Parameters* p, int eye, const uchar4* picture, int picture_w, int picture_h, float scale,
                float side, float above, int part, int w, uchar4* moved) {
    const int* box = p->lid_box_px[eye][part];
    float share = part == 0 ? p->lid_skin_share[eye] : p->lid_lash_share[eye];
    if (X >= box[2] || Y >= box[3] || share <= 0.f) return;
    float2 at = affine(p->lid_frame_from_moved[eye], (float)BOX_X, (float)BOX_Y);
    int last = (int)(sizeof(p->lid_curves[0]) / sizeof(p->lid_curves[0][0])) - 1;
    float along = clampf((at.x + side) * (last / (1.f + 2.f * side)), 0.f, (float)last);
    int first = min((int)along, last - 1);
    const float *a = p->lid_curves[eye][first], *b = p->lid_curves[eye][first + 1];
    float rest = along - first, rim = mix(a[0], b[0], rest);
    uchar4 colour = rounded(sample4(picture, picture_w, picture_h, (at.x + side) * scale,
                                    (at.y - rim + above) * scale));
    float appeared = 1.f;
    if (part == 0) {
        float t = clampf((at.y - mix(a[1], b[1], rest)) * mix(a[2], b[2], rest), 0.f, 1.f);
        appeared = t * t * (3.f - 2.f * t);
    }
    blend_into(&moved[BOX_Y * w + BOX_X], colour, to_u8(share * appeared * colour.w));
}
