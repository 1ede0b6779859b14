// What painters see and what they add (render/crops.py, painter.py). Crops are planar float RGB in [0, 1].

KERNEL crop_cut(const Parameters* p, int crop, const uchar4* picture, int w, int h, int side, float* planes) {
    if (X >= side || Y >= side) return;
    float2 at = affine(p->picture_from_crop[crop], (float)X, (float)Y);
    uchar4 pixel = rounded(sample4(picture, w, h, at.x, at.y));
    int i = Y * side + X, plane = side * side;
    planes[i] = pixel.x * (1.f / 255.f);
    planes[plane + i] = pixel.y * (1.f / 255.f);
    planes[2 * plane + i] = pixel.z * (1.f / 255.f);
}

// The filled outline of some landmarks, as seen in the crop.
KERNEL crop_contour(const Parameters* p, int crop, const int* index, int n, int which, int side, float* planes) {
    if (X >= side || Y >= side) return;
    const float(*map)[3] = p->crop_from_picture[crop];
    float scale = sqrtf(fabsf(map[0][0] * map[1][1] - map[0][1] * map[1][0]));
    float2 at = affine(p->picture_from_crop[crop], (float)X, (float)Y);
    Outline outline = {&p->landmarks_px[0][0], 3, index, n};
    planes[(which * side + Y) * side + X] =
        coverage_at(scale * signed_distance(outline, at.x, at.y)) * (1.f / 255.f);
}

__device__ inline float residual_at(const float* residual, const float* mask, int side, int x, int y) {
    if (x < 0 || y < 0 || x >= side || y >= side) return 0.f;
    float value = residual[y * side + x] * mask[y * side + x];
    return isfinite(value) ? value : 0.f;  // odd weights of a stranger's pack may overflow
}

// Add a share of residual times mask where the person is; premultiplied colour may not exceed its coverage.
KERNEL residual_add(const Parameters* p, int crop, const float* residual, const float* mask, int side, int w, int h,
                    uchar4* picture) {
    if (X >= w || Y >= h || p->crop_share[crop] <= 0.f) return;
    float2 at = affine(p->crop_from_picture[crop], (float)X, (float)Y);
    if (!(at.x > -1.f && at.y > -1.f && at.x < side && at.y < side)) return;
    int x = (int)floorf(at.x), y = (int)floorf(at.y);
    float fx = at.x - x, fy = at.y - y, added[3];
    for (int c = 0; c < 3; c++) {
        const float* plane = residual + c * side * side;
        float top = mix(residual_at(plane, mask, side, x, y), residual_at(plane, mask, side, x + 1, y), fx);
        float below =
            mix(residual_at(plane, mask, side, x, y + 1), residual_at(plane, mask, side, x + 1, y + 1), fx);
        added[c] = 255.f * p->crop_share[crop] * mix(top, below, fy);
    }
    uchar4* pixel = picture + Y * w + X;
    float coverage = pixel->w * (1.f / 255.f);
    pixel->x = min(to_u8(pixel->x + coverage * added[0]), pixel->w);
    pixel->y = min(to_u8(pixel->y + coverage * added[1]), pixel->w);
    pixel->z = min(to_u8(pixel->z + coverage * added[2]), pixel->w);
}
