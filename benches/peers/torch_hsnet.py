#!/usr/bin/env python3
"""HSNet in PyTorch: the peer that fewseg is timed against. Its weights are noise: the time does not depend on them.

    torch_hsnet.py time  --backbone resnet50 --size 400 [--device cuda] [--train] [--batch N]
    torch_hsnet.py onnx  --backbone mobilenetv2 --size 256 OUT.onnx   # for onnxruntime and onnxruntime-web

`time` prints, as a line of JSON, the milliseconds of every run of: features of one picture; segment (query features, correlation,
learner; the support's features are given, as after learning); the learner alone; with --train, a whole training step (backbone
frozen). Needs torch and torchvision; `onnx` also needs onnx.
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

LEVELS = {"vgg16": [3, 3, 1], "resnet50": [4, 6, 3], "resnet101": [4, 23, 3], "mobilenetv2": [3, 7, 4]}


def resize(x, size):
    return F.interpolate(x, size, mode="bilinear", align_corners=True)


class CenterPivot(nn.Module):
    """(B, C, qh, qw, sh, sw) -> (B, C', qh, qw, ceil(sh / stride), ceil(sw / stride))"""

    def __init__(self, cin, cout, k, stride):
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(cin, cout, k, 1, k // 2)
        self.conv2 = nn.Conv2d(cin, cout, k, stride, k // 2)

    def forward(self, x):
        b, c, qh, qw, sh, sw = x.shape
        y = x[:, :, :, :, :: self.stride, :: self.stride]
        h, w = y.shape[4:]
        y = self.conv1(y.permute(0, 4, 5, 1, 2, 3).reshape(b * h * w, c, qh, qw))
        y = y.reshape(b, h, w, -1, qh, qw).permute(0, 3, 4, 5, 1, 2)
        z = self.conv2(x.permute(0, 2, 3, 1, 4, 5).reshape(b * qh * qw, c, sh, sw))
        z = z.reshape(b, qh, qw, -1, h, w).permute(0, 3, 1, 2, 4, 5)
        return y + z


def block(cin, widths, kernels, strides):
    layers = []
    for width, k, s in zip(widths, kernels, strides):
        layers += [CenterPivot(cin, width, k, s), nn.GroupNorm(4, width), nn.ReLU()]
        cin = width
    return nn.Sequential(*layers)


class Learner(nn.Module):
    def __init__(self, levels):
        super().__init__()
        l2, l3, l4 = levels
        self.encoder_layer4 = block(l4, [16, 64, 128], [3, 3, 3], [2, 2, 2])
        self.encoder_layer3 = block(l3, [16, 64, 128], [5, 3, 3], [4, 2, 2])
        self.encoder_layer2 = block(l2, [16, 64, 128], [5, 5, 3], [4, 4, 2])
        self.encoder_layer4to3 = block(128, [128] * 3, [3] * 3, [1] * 3)
        self.encoder_layer3to2 = block(128, [128] * 3, [3] * 3, [1] * 3)
        conv = lambda i, o: nn.Conv2d(i, o, 3, 1, 1)
        self.decoder1 = nn.Sequential(conv(128, 128), nn.ReLU(), conv(128, 64), nn.ReLU())
        self.decoder2 = nn.Sequential(conv(64, 64), nn.ReLU(), conv(64, 2))

    @staticmethod
    def grow(x, size):
        """Resizes the query dimensions, each support position on its own."""
        b, c, qh, qw, sh, sw = x.shape
        y = resize(x.permute(0, 4, 5, 1, 2, 3).reshape(b * sh * sw, c, qh, qw), size)
        return y.reshape(b, sh, sw, c, *size).permute(0, 3, 4, 5, 1, 2)

    def forward(self, level2, level3, level4):
        s4, s3, s2 = self.encoder_layer4(level4), self.encoder_layer3(level3), self.encoder_layer2(level2)
        m3 = self.encoder_layer4to3(self.grow(s4, s3.shape[2:4]) + s3)
        m2 = self.encoder_layer3to2(self.grow(m3, s2.shape[2:4]) + s2)
        y = self.decoder1(m2.flatten(4).mean(-1))
        return self.decoder2(resize(y, (2 * y.shape[2], 2 * y.shape[3])))


class ResNet(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.net = getattr(torchvision.models, name)(weights=None)

    def forward(self, x):
        n, out = self.net, []
        x = n.maxpool(n.relu(n.bn1(n.conv1(x))))
        for b in n.layer1:
            x = b(x)
        for layer in (n.layer2, n.layer3, n.layer4):
            for b in layer:
                y = F.relu(b.bn2(b.conv2(F.relu(b.bn1(b.conv1(x))))))
                y = b.bn3(b.conv3(y)) + (x if b.downsample is None else b.downsample(x))
                out.append(y)
                x = F.relu(y)
        return out


class Vgg(nn.Module):
    def __init__(self, _):
        super().__init__()
        self.net = torchvision.models.vgg16(weights=None)

    def forward(self, x):
        out = []
        for i, layer in enumerate(self.net.features):
            x = F.relu(x) if isinstance(layer, nn.ReLU) else layer(x)
            if i in (17, 19, 21, 24, 26, 28, 30):
                out.append(x)
        return out


class MobileNet(nn.Module):
    """Batch norm is folded into the convolutions, as in fewseg."""

    PLAN = [(24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)]

    def __init__(self, _):
        super().__init__()
        conv = lambda i, o, k, s, g: nn.Conv2d(i, o, k, s, k // 2, groups=g)
        self.stem = nn.Sequential(conv(3, 32, 3, 2, 1), nn.ReLU6(), conv(32, 32, 3, 1, 32), nn.ReLU6(), conv(32, 16, 1, 1, 1))
        blocks, cin = [], 16
        for width, n, stride in self.PLAN:
            for j in range(n):
                wide = 6 * cin
                blocks.append(nn.Sequential(
                    conv(cin, wide, 1, 1, 1), nn.ReLU6(), conv(wide, wide, 3, stride if j == 0 else 1, wide), nn.ReLU6(),
                    conv(wide, width, 1, 1, 1)))
                blocks[-1].residual = j > 0
                cin = width
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x):
        x, out = self.stem(x), []
        for block in self.blocks:
            x = x + block(x) if block.residual else block(x)
            out.append(x)
        return out[2:]


BACKBONES = {"vgg16": Vgg, "resnet50": ResNet, "resnet101": ResNet, "mobilenetv2": MobileNet}


class HSNet(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.levels = LEVELS[backbone]
        self.backbone = BACKBONES[backbone](backbone)
        self.hpn_learner = Learner(self.levels)
        self.eval()

    def learn(self, image, mask):
        return [f * resize(mask[:, None].float(), f.shape[2:]).to(f.dtype) for f in self.backbone(image)]  # in float32: spec 3

    def correlate(self, query, support):
        maps = []
        for q, s in zip(query, support):
            b, c, h, w = q.shape
            q, s = q.flatten(2), s.flatten(2)
            q = q / (q.norm(dim=1, keepdim=True) + 1e-5)
            s = s / (s.norm(dim=1, keepdim=True) + 1e-5)
            maps.append((q.transpose(1, 2) @ s).clamp(min=0).reshape(b, h, w, h, w))
        a, b, _ = self.levels
        return [torch.stack(m, 1) for m in (maps[:a], maps[a : a + b], maps[a + b :])]

    def segment(self, image, *support):
        return self.hpn_learner(*self.correlate(self.backbone(image), support))

    def forward(self, query, image, mask):
        return self.segment(query, *self.learn(image, mask))


def times_ms(f, device, repeat):
    times = []
    for i in range(repeat + 2):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        f()
        if device == "cuda":
            torch.cuda.synchronize()
        if i >= 2:
            times.append(round(1000 * (time.perf_counter() - start), 3))
    return times


def bench(a):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(0)
    net = HSNet(a.backbone).to(a.device)
    image = torch.randn(a.batch, 3, a.size, a.size, device=a.device)
    mask = (torch.rand(a.batch, a.size, a.size, device=a.device) > 0.5).float()
    found = {}
    with torch.no_grad():
        support = net.learn(image, mask)
        levels = net.correlate(net.backbone(image), support)
        found["features"] = times_ms(lambda: net.backbone(image), a.device, a.repeat)
        found["segment"] = times_ms(lambda: net.segment(image, *support), a.device, a.repeat)
        found["learner"] = times_ms(lambda: net.hpn_learner(*levels), a.device, a.repeat)
    if a.train:
        optimizer = torch.optim.Adam(net.hpn_learner.parameters(), 1e-3)

        def step():
            with torch.no_grad():
                levels = net.correlate(net.backbone(image), net.learn(image, mask))
            loss = F.cross_entropy(resize(net.hpn_learner(*levels), (a.size, a.size)), mask.long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        found["train"] = times_ms(step, a.device, a.repeat)
    if a.device == "cuda":
        found["peak_memory_bytes"] = torch.cuda.max_memory_allocated()
    print(json.dumps(found))


def onnx(a):
    net = HSNet(a.backbone)
    image = torch.randn(1, 3, a.size, a.size)
    mask = torch.ones(1, a.size, a.size)
    support = tuple(net.learn(image, mask))

    class Segment(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, image, *support):
            return self.net.segment(image, *support)

    torch.onnx.export(Segment().eval(), (image, *support), a.out, dynamo=False, opset_version=17,
                      input_names=["query"] + [f"support{i}" for i in range(len(support))], output_names=["logits"])
    print(a.out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("time", bench), ("onnx", onnx)):
        p = commands.add_parser(name)
        p.set_defaults(run=run)
        p.add_argument("--backbone", choices=BACKBONES, default="mobilenetv2")
        p.add_argument("--size", type=int, default=400)
    p.add_argument("out")
    p = commands.choices["time"]
    p.add_argument("--device", default="cpu")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--repeat", type=int, default=10)
    p.add_argument("--train", action="store_true")
    args = parser.parse_args()
    args.run(args)
