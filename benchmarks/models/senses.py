"""Models of `transformers` for pictures, sound, both with text, and time series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.models.specimen import Specimen, image, noise, tokens
from benchmarks.models.text import SIZE, model

VIT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
PATCHES = VIT | {"image_size": 32, "patch_size": 8}
STAGES = {"depths": [1, 1], "num_stages": 2, "hidden_sizes": [16, 32]}
FEATURES = {"conv_dim": [16, 16], "conv_kernel": [4, 4], "conv_stride": [4, 4], "num_feat_extract_layers": 2}
SPEECH = VIT | FEATURES | {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "vocab_size": 99}
SERIES = {
    "prediction_length": 4,
    "context_length": 8,
    "lags_sequence": [1, 2],
    "num_time_features": 1,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
}

PICTURES: dict[str, dict[str, Any]] = {
    "vit": PATCHES,
    "deit": PATCHES,
    "beit": PATCHES | {"use_relative_position_bias": True},
    "data2vec-vision": PATCHES,
    "dinov2": PATCHES | {"mlp_ratio": 2},
    "vit_mae": PATCHES | {"decoder_hidden_size": 32, "decoder_num_attention_heads": 4, "decoder_num_hidden_layers": 2},
    "vit_msn": PATCHES,
    "ijepa": PATCHES,
    "yolos": PATCHES | {"image_size": [32, 32], "num_detection_tokens": 4},
    "siglip_vision_model": PATCHES,
    "swin": {
        "image_size": 32,
        "patch_size": 4,
        "embed_dim": 16,
        "depths": [1, 2],
        "num_heads": [2, 2],
        "window_size": 4,
    },
    "swinv2": {
        "image_size": 32,
        "patch_size": 4,
        "embed_dim": 16,
        "depths": [1, 2],
        "num_heads": [2, 2],
        "window_size": 4,
    },
    "swin2sr": {"image_size": 32, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4},
    "convnext": STAGES,
    "convnextv2": STAGES,
    "resnet": {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [2, 2]},
    "regnet": {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1], "groups_width": 8},
    "bit": {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1], "num_groups": 4},
    "mobilenet_v1": {"depth_multiplier": 0.25, "min_depth": 8},
    "mobilenet_v2": {"depth_multiplier": 0.25},
    "efficientnet": {"width_coefficient": 0.25, "depth_coefficient": 0.25, "hidden_dim": 320, "image_size": 32},
    "segformer": {"num_encoder_blocks": 2, "depths": [1, 1], "sr_ratios": [2, 1], "hidden_sizes": [16, 32]}
    | {"patch_sizes": [7, 3], "strides": [4, 2], "num_attention_heads": [2, 2], "mlp_ratios": [2, 2]},
    "pvt": {"image_size": 64, "num_encoder_blocks": 2, "depths": [1, 1], "sequence_reduction_ratios": [2, 1]}
    | {"hidden_sizes": [16, 32], "patch_sizes": [4, 2], "strides": [4, 2], "num_attention_heads": [2, 2]}
    | {"mlp_ratios": [2, 2]},
    "poolformer": {"num_encoder_blocks": 2, "depths": [1, 1], "hidden_sizes": [16, 32], "patch_sizes": [7, 3]}
    | {"strides": [4, 2], "padding": [2, 1], "mlp_ratio": 2.0},
    "mobilevit": {"image_size": 64, "hidden_sizes": [16, 24, 32], "neck_hidden_sizes": [8, 8, 12, 16, 16, 24, 32]}
    | {"num_attention_heads": 2},
    "focalnet": {"image_size": 32, "embed_dim": 16, "hidden_sizes": [16, 32], "depths": [1, 1]}
    | {"focal_levels": [2, 2], "focal_windows": [3, 3]},
    "hiera": {"image_size": [32, 32], "embed_dim": 16, "depths": [1, 1], "num_heads": [1, 2], "patch_size": [7, 7]}
    | {"masked_unit_size": [4, 4], "num_query_pool": 1},
    "dpt": PATCHES | {"is_hybrid": False, "backbone_out_indices": [0, 1, 0, 1]},
    "glpn": {"num_encoder_blocks": 2, "depths": [1, 1], "sr_ratios": [2, 1], "hidden_sizes": [16, 32]}
    | {"patch_sizes": [7, 3], "strides": [4, 2], "num_attention_heads": [2, 2], "mlp_ratios": [2, 2]},
}

SOUNDS: dict[str, dict[str, Any]] = {
    "wav2vec2": SPEECH,
    "hubert": SPEECH,
    "wavlm": SPEECH,
    "data2vec-audio": SPEECH | {"conv_pos_kernel_size": 7},
    "unispeech": SPEECH,
    "unispeech-sat": SPEECH,
    "wav2vec2-conformer": SPEECH,
    "sew": SPEECH | {"squeeze_factor": 2},
    "sew-d": SPEECH | {"squeeze_factor": 2, "feature_layer_norm_eps": 1e-5, "max_position_embeddings": 64},
}


def specimens() -> list[Specimen]:
    """All of them."""
    made = [_of(kind, config, _picture(config)) for kind, config in PICTURES.items()]
    made += [_of(kind, config, lambda: {"input_values": noise(1, 400)}) for kind, config in SOUNDS.items()]
    return made + [_of(kind, config, inputs) for kind, (config, inputs) in OTHERS.items()]


def _of(kind: str, config: dict[str, Any], inputs: Callable[[], dict[str, Any]]) -> Specimen:
    return Specimen(kind, lambda: (model(kind, config), inputs()))


def _picture(config: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    size = config.get("image_size", 64)
    return lambda: image(size[0] if isinstance(size, list) else size)


def _clip() -> dict[str, Any]:
    return tokens() | image()


def _whisper() -> dict[str, Any]:
    return {"input_features": noise(1, 8, 64), "decoder_input_ids": tokens(6)["input_ids"]}


def _perceiver() -> dict[str, Any]:
    return {"inputs": noise(1, 16, 24)}


def _series() -> dict[str, Any]:
    import torch

    past = {"past_values": noise(1, 10).abs(), "past_time_features": noise(1, 10, 1)}
    return past | {
        "past_observed_mask": torch.ones(1, 10),
        "future_values": noise(1, 4).abs(),
        "future_time_features": noise(1, 4, 1),
    }


def _video() -> dict[str, Any]:
    return {"pixel_values": noise(1, 4, 3, 32, 32)}


def _spectrum() -> dict[str, Any]:
    return {"input_values": noise(1, 32, 16)}


def _detector() -> dict[str, Any]:
    return image(64)


CLIP = {
    "text_config": SIZE | {"eos_token_id": 2, "projection_dim": 16},
    "vision_config": PATCHES | {"projection_dim": 16},
    "projection_dim": 16,
}
BACKBONE = {"model_type": "resnet", "out_features": ["stage1", "stage2"]} | PICTURES["resnet"]
DETR = {
    "use_timm_backbone": False,
    "use_pretrained_backbone": False,
    "backbone": None,
    "backbone_config": BACKBONE,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "num_queries": 5,
}

# model type -> configuration, arguments
OTHERS: dict[str, tuple[dict[str, Any], Callable[[], dict[str, Any]]]] = {
    "clip": (CLIP, _clip),
    "altclip": (CLIP | {"text_config": SIZE | {"project_dim": 16}}, _clip),
    "siglip": ({"text_config": SIZE | {"projection_size": 32}, "vision_config": PATCHES}, _clip),
    "blip": (CLIP | {"text_config": SIZE | {"encoder_hidden_size": 32, "bos_token_id": 1}}, _clip),
    "flava": (
        {
            "text_config": SIZE,
            "image_config": PATCHES,
            "multimodal_config": VIT,
            "projection_dim": 16,
            "hidden_size": 32,
        },
        _clip,
    ),
    "vilt": (PATCHES | SIZE, lambda: tokens() | image()),
    "detr": (DETR, _detector),
    "conditional_detr": (DETR, _detector),
    "deformable_detr": (DETR | {"num_feature_levels": 2}, _detector),
    "videomae": (PATCHES | {"num_frames": 4, "tubelet_size": 2}, _video),
    "timesformer": (PATCHES | {"num_frames": 4}, _video),
    "vivit": (PATCHES | {"num_frames": 4, "tubelet_size": [2, 8, 8]}, _video),
    "whisper": (
        {
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 64,
            "decoder_ffn_dim": 64,
            "vocab_size": 99,
            "num_mel_bins": 8,
            "max_source_positions": 32,
            "max_target_positions": 32,
            "pad_token_id": 0,
        },
        _whisper,
    ),
    "audio-spectrogram-transformer": (
        VIT | {"patch_size": 8, "max_length": 32, "num_mel_bins": 16, "frequency_stride": 8, "time_stride": 8},
        _spectrum,
    ),
    "perceiver": (
        {"d_model": 24, "num_latents": 8, "d_latents": 32, "num_self_attends_per_block": 2}
        | {"num_self_attention_heads": 4, "num_cross_attention_heads": 4},
        _perceiver,
    ),
    "time_series_transformer": (SERIES, _series),
    "informer": (SERIES, _series),
    "autoformer": (SERIES | {"moving_average": 3, "label_length": 4}, _series),
    "patchtst": (
        {"context_length": 16, "patch_length": 4, "patch_stride": 4, "d_model": 16, "num_hidden_layers": 2}
        | {"num_attention_heads": 2, "ffn_dim": 32, "num_input_channels": 1},
        lambda: {"past_values": noise(1, 16, 1)},
    ),
    "patchtsmixer": (
        {"context_length": 16, "patch_length": 4, "patch_stride": 4, "d_model": 16, "num_layers": 2}
        | {"num_input_channels": 2},
        lambda: {"past_values": noise(1, 16, 2)},
    ),
}
