// Coverage of outlines, from the distance to them.

// Points lie `stride` floats apart; with an index, point i is number index[i].
struct Outline {
    const float* points;
    int stride;
    const int* index;
    int n;
};

__device__ inline float2 point_of(Outline o, int i) {
    const float* at = o.points + o.stride * (o.index ? o.index[i] : i);
    return make_float2(at[0], at[1]);
}

__device__ inline float squared_distance(float2 a, float2 b, float x, float y) {
    float dx = b.x - a.x, dy = b.y - a.y, px = x - a.x, py = y - a.y;
    float t = clampf((px * dx + py * dy) / fmaxf(dx * dx + dy * dy, 1e-12f), 0.f, 1.f);
    px -= t * dx;
    py -= t * dy;
    return px * px + py * py;
}

// Distance to a closed outline, positive inside (even-odd).
__device__ inline float signed_distance(Outline o, float x, float y) {
    float nearest = 1e30f;
    bool inside = false;
    float2 a = point_of(o, o.n - 1);
    for (int i = 0; i < o.n; i++) {
        float2 b = point_of(o, i);
        nearest = fminf(nearest, squared_distance(a, b, x, y));
        if ((a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x) inside = !inside;
        a = b;
    }
    return inside ? sqrtf(nearest) : -sqrtf(nearest);
}

// What OpenCV's anti-aliased fillPoly gives on average over directions and positions, from the distance:
// its outline is a line of its own, so that half coverage lies 0.65 px outside. Free of its steps of 1/16 px.
__device__ inline unsigned char coverage_at(float signed_px) {
    float t = clampf((signed_px + 1.35f) / 1.4f, 0.f, 1.f);
    return to_u8(255.f * t * t * (3.f - 2.f * t));
}

__device__ inline unsigned char outline_coverage(Outline o, float x, float y) {
    return coverage_at(signed_distance(o, x, y));
}
